/*
 * fb_time.c
 *		Reads YYYY-MM-DD[(T| )HH:MM[:SS[(.|,)fraction]][Z|(+|-)HH[[:]MM]]],
 *		and (+|-)N(s|m|h|d|w) relative to the time of the evaluation.
 *
 * Without an offset the time is UTC.  Nothing depends on the session: words
 * such as "now", other date styles and time zone names are refused.
 */
#include "core/fb_time.h"

#define USECS_PER_SECOND	INT64_C(1000000)
#define RELATIVE_DIGITS		7		/* so that no unit overflows */
#define DAYS_TO_2000		INT64_C(730119) /* from 0001-01-01, proleptic Gregorian */

typedef struct Cursor
{
	const char *at;
	const char *end;
} Cursor;

/* Reads exactly count digits; -1 when they are not there. */
static int
read_digits(Cursor *cursor, int count)
{
	int			number = 0;

	if (cursor->end - cursor->at < count)
		return -1;
	for (; count > 0; count--)
	{
		char		digit = *cursor->at;

		if (digit < '0' || digit > '9')
			return -1;
		number = number * 10 + (digit - '0');
		cursor->at++;
	}
	return number;
}

/* Skips one character if it is the given one. */
static bool
skip(Cursor *cursor, char wanted)
{
	if (cursor->at == cursor->end || *cursor->at != wanted)
		return false;
	cursor->at++;
	return true;
}

/* Reads the digits of a fraction as microseconds, rounded half up; -1 when there are none. */
static int
read_fraction(Cursor *cursor)
{
	int			microseconds = 0;
	int			digits = 0;
	bool		up = false;

	while (cursor->at < cursor->end && *cursor->at >= '0' && *cursor->at <= '9')
	{
		if (digits < 6)
			microseconds = microseconds * 10 + (*cursor->at - '0');
		else if (digits == 6)
			up = *cursor->at >= '5';
		digits++;
		cursor->at++;
	}
	if (digits == 0)
		return -1;
	for (; digits < 6; digits++)
		microseconds *= 10;
	return microseconds + up;
}

/* Reads Z or a numeric offset in seconds east of UTC; false when it is malformed. */
static bool
read_offset(Cursor *cursor, int *seconds)
{
	int			hours;
	int			minutes = 0;
	bool		west;

	*seconds = 0;
	if (cursor->at == cursor->end || skip(cursor, 'Z') || skip(cursor, 'z'))
		return true;
	west = *cursor->at == '-';
	if (!skip(cursor, '+') && !skip(cursor, '-'))
		return false;
	hours = read_digits(cursor, 2);
	if (cursor->at < cursor->end)
	{
		(void) skip(cursor, ':');
		minutes = read_digits(cursor, 2);
	}
	if (hours < 0 || hours > 15 || minutes < 0 || minutes > 59)
		return false;
	*seconds = (hours * 60 + minutes) * 60 * (west ? -1 : 1);
	return true;
}

/* Returns the number of days of a month. */
static int
month_length(int year, int month)
{
	static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool		leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return month == 2 && leap ? 29 : lengths[month - 1];
}

/* Returns the days from 2000-01-01 to a date of the Gregorian calendar. */
static int64_t
days_from_2000(int year, int month, int day)
{
	int64_t		years = year - 1;
	int64_t		days = years * 365 + years / 4 - years / 100 + years / 400;
	int			m;

	for (m = 1; m < month; m++)
		days += month_length(year, m);
	return days + day - 1 - DAYS_TO_2000;
}

/* Reads a timestamp as microseconds since 2000-01-01 00:00 UTC; false when it is malformed. */
bool
fb_parse_time(FbString text, int64_t *time)
{
	Cursor		cursor = {text.data, text.data + text.length};
	int			year = read_digits(&cursor, 4);
	int			month = skip(&cursor, '-') ? read_digits(&cursor, 2) : -1;
	int			day = skip(&cursor, '-') ? read_digits(&cursor, 2) : -1;
	int			hour = 0;
	int			minute = 0;
	int			second = 0;
	int			fraction = 0;
	int			offset = 0;

	if (year < 1 || month < 1 || month > 12 || day < 1 || day > month_length(year, month))
		return false;
	if (cursor.at < cursor.end)
	{
		if (!skip(&cursor, 'T') && !skip(&cursor, 't') && !skip(&cursor, ' '))
			return false;
		hour = read_digits(&cursor, 2);
		minute = skip(&cursor, ':') ? read_digits(&cursor, 2) : -1;
		if (skip(&cursor, ':'))
		{
			second = read_digits(&cursor, 2);
			if (skip(&cursor, '.') || skip(&cursor, ','))
				fraction = read_fraction(&cursor);
		}
		if (hour < 0 || hour > 24 || minute < 0 || minute > 59 || second < 0 || second > 60 || fraction < 0 ||
			(hour == 24 && (minute > 0 || second > 0 || fraction > 0)))
			return false;
		if (!read_offset(&cursor, &offset))
			return false;
	}
	if (cursor.at != cursor.end)
		return false;
	*time = (days_from_2000(year, month, day) * 86400 + hour * 3600 + minute * 60 + second - offset) *
				USECS_PER_SECOND +
			fraction;
	return true;
}

/* Returns the seconds of a unit of relative times, 0 for what is none; a day is always 24 hours. */
static int64_t
unit_seconds(char unit)
{
	switch (unit)
	{
		case 's':
			return 1;
		case 'm':
			return 60;
		case 'h':
			return 3600;
		case 'd':
			return 86400;
		case 'w':
			return 7 * 86400;
		default:
			return 0;
	}
}

/* Reads a sign, a number and a unit as microseconds. */
static bool
parse_relative(FbString text, int64_t *offset)
{
	Cursor		cursor = {text.data + 1, text.data + text.length - 1};
	int			digits = (int) (cursor.end - cursor.at);
	int			number;
	int64_t		seconds;

	if (digits < 1 || digits > RELATIVE_DIGITS)
		return false;
	number = read_digits(&cursor, digits);
	seconds = unit_seconds(*cursor.end);
	if (number < 0 || seconds == 0)
		return false;
	*offset = number * seconds * USECS_PER_SECOND * (text.data[0] == '-' ? -1 : 1);
	return true;
}

/* Reads a timestamp, or a time relative to that of the evaluation such as -7d. */
bool
fb_parse_moment(FbString text, FbMoment *moment)
{
	moment->relative = text.length > 2 && (text.data[0] == '-' || text.data[0] == '+');
	return moment->relative ? parse_relative(text, &moment->time) : fb_parse_time(text, &moment->time);
}

/* Returns the time of a moment for an evaluation; beyond the calendar it stops at its ends. */
int64_t
fb_moment_at(const FbMoment *moment, int64_t now)
{
	if (!moment->relative)
		return moment->time;
	if (moment->time > 0 ? now > INT64_MAX - moment->time : now < INT64_MIN - moment->time)
		return moment->time > 0 ? INT64_MAX : INT64_MIN;
	return now + moment->time;
}
