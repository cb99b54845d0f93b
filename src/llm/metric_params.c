/*
 * metric_params.c
 *		Reading the options of a metric.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "fb_suggest.h"
#include "llm/metric_params.h"
#include "pg_compat.h"

typedef enum ParameterType
{
	PARAM_BOOLEAN,
	PARAM_INTEGER,
	PARAM_NUMBER,
	PARAM_WORD,					/* one of a list */
	PARAM_NOT_BOOLEAN,			/* stored inverted */
	PARAM_ZERO_DIVISION,
	PARAM_LABEL,
	PARAM_LABELS,
	PARAM_REGEXES
} ParameterType;

typedef struct Parameter
{
	const char *name;
	uint32		bit;
	ParameterType type;
	size_t		offset;			/* in FbMetricOptions */
	double		lowest;			/* of numbers; those of PARAM_NUMBER are excluded */
	double		highest;
	const char *words;			/* in the order of their numbers, divided by blanks */
} Parameter;

#define AT(member) offsetof(FbMetricOptions, member)

static const Parameter parameter_list[] = {
	{"level", FB_PARAM_LEVEL, PARAM_NUMBER, AT(level), 0, 1},
	{"labels", FB_PARAM_LABELS, PARAM_LABELS},
	{"pos", FB_PARAM_POS, PARAM_LABEL},
	{"beta", FB_PARAM_BETA, PARAM_NUMBER, AT(label.beta), 0, 1000},
	{"zero_division", FB_PARAM_ZERO_DIVISION, PARAM_ZERO_DIVISION},
	{"weights", FB_PARAM_WEIGHTS, PARAM_WORD, AT(label.weights), 0, 0, "none linear quadratic"},
	{"adjusted", FB_PARAM_ADJUSTED, PARAM_BOOLEAN, AT(label.adjusted)},
	{"tokenize", FB_PARAM_TOKENIZE, PARAM_WORD, AT(bleu.tokenizer), 0, 0, "13a none char intl"},
	{"smooth", FB_PARAM_SMOOTH, PARAM_WORD, AT(bleu.smoothing), 0, 0, "exp floor add-k none"},
	{"smooth_value", FB_PARAM_SMOOTH_VALUE, PARAM_NUMBER, AT(bleu.smooth_value), -1e-300, 1000000},
	{"effective_order", FB_PARAM_EFFECTIVE, PARAM_BOOLEAN, AT(bleu.effective_order)},
	{"lowercase", FB_PARAM_LOWERCASE, PARAM_BOOLEAN, AT(bleu.lowercase)},
	{"max_order", FB_PARAM_MAX_ORDER, PARAM_INTEGER, AT(bleu.max_order), 1, FB_BLEU_MAX_ORDER},
	{"char_order", FB_PARAM_CHAR_ORDER, PARAM_INTEGER, AT(chrf.char_order), 1, FB_CHRF_MAX_CHAR_ORDER},
	{"word_order", FB_PARAM_WORD_ORDER, PARAM_INTEGER, AT(chrf.word_order), 0, FB_CHRF_MAX_WORD_ORDER},
	{"whitespace", FB_PARAM_WHITESPACE, PARAM_BOOLEAN, AT(chrf.whitespace)},
	{"eps_smoothing", FB_PARAM_EPS, PARAM_BOOLEAN, AT(chrf.eps_smoothing)},
	{"unicode", FB_PARAM_UNICODE, PARAM_NOT_BOOLEAN, AT(ascii)},
	{"score", FB_PARAM_SCORE, PARAM_WORD, AT(rouge_score), 0, 0, "f1 precision recall"},
	{"regexes", FB_PARAM_REGEXES, PARAM_REGEXES},
	{"ignore_case", FB_PARAM_IGNORE, PARAM_BOOLEAN, AT(match.ignore_case)},
	{"ignore_punctuation", FB_PARAM_IGNORE, PARAM_BOOLEAN, AT(match.ignore_punctuation)},
	{"ignore_numbers", FB_PARAM_IGNORE, PARAM_BOOLEAN, AT(match.ignore_numbers)},
	{"empty_is_right", FB_PARAM_EMPTY, PARAM_BOOLEAN, AT(empty_is_right)},
	{"collapse_ws", FB_PARAM_COLLAPSE, PARAM_BOOLEAN, AT(collapse)},
	{"bins", FB_PARAM_BINS, PARAM_INTEGER, AT(scored.bins), 1, FB_ECE_MAX_BINS},
	{"norm", FB_PARAM_NORM, PARAM_WORD, AT(scored.norm), 0, 0, "l1 l2 max"},
	{"strategy", FB_PARAM_STRATEGY, PARAM_WORD, AT(scored.equal_mass), 0, 0, "width mass"},
	{"k", FB_PARAM_K, PARAM_INTEGER, AT(k), 1, 1000000},
};

/* Longest name that is shown in full. */
#define MAX_SHOWN 63

/* Returns the metric of a name; others are an error with the nearest name there is. */
const FbMetricInfo *
fb_metric_named(const char *data, int len)
{
	char	   *name = pnstrdup(data, len);
	const FbMetricInfo *info = fb_metric_by_name(name);
	const FbMetricInfo *metrics;
	FbSuggestion suggestion;
	StringInfoData list;
	size_t		count;
	int			shown;

	if (info != NULL)
	{
		pfree(name);
		return info;
	}
	metrics = fb_metric_list(&count);
	initStringInfo(&list);
	fb_suggest_start(&suggestion, name);
	for (size_t i = 0; i < count; i++)
	{
		appendStringInfo(&list, "%s%s", i == 0 ? "" : i + 1 == count ? " and " : ", ", metrics[i].name);
		fb_suggest_offer(&suggestion, metrics[i].name);
	}
	shown = pg_mbcliplen(name, len, MAX_SHOWN);
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unknown metric \"%.*s%s\"", shown, name, shown < len ? "..." : ""),
			 errdetail("The metrics are %s.", list.data),
			 errhint("%s", fb_suggest_hint(&suggestion, "See featbit.metrics()."))));
	return NULL;
}

/* Lists the parameters that a metric takes. */
static char *
parameters_of(const FbMetricInfo *info)
{
	StringInfoData list;

	initStringInfo(&list);
	for (int i = 0; i < lengthof(parameter_list); i++)
	{
		if (info->params & parameter_list[i].bit)
			appendStringInfo(&list, "%s%s", list.len > 0 ? ", " : "", parameter_list[i].name);
	}
	return list.data;
}

/* Returns a parameter that the metric takes. */
static const Parameter *
find_parameter(const FbMetricInfo *info, const char *name)
{
	FbSuggestion suggestion;

	fb_suggest_start(&suggestion, name);
	for (int i = 0; i < lengthof(parameter_list); i++)
	{
		if (!(info->params & parameter_list[i].bit))
			continue;
		if (strcmp(parameter_list[i].name, name) == 0)
			return &parameter_list[i];
		fb_suggest_offer(&suggestion, parameter_list[i].name);
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("metric \"%s\" takes no parameter \"%s\"", info->name, name),
			 errdetail("It takes %s.", parameters_of(info)),
			 suggestion.best ? errhint("%s", fb_suggest_hint(&suggestion, NULL)) : 0));
	return NULL;
}

/* Refuses the value of a parameter. */
static void
bad_value(const Parameter *parameter, const JsonbValue *value, const char *wanted)
{
	JsonbValue	copy = *value;
	char	   *text;

	if (value->type == jbvBinary)
		text = JsonbToCString(NULL, value->val.binary.data, value->val.binary.len);
	else
	{
		Jsonb	   *jsonb = JsonbValueToJsonb(&copy);

		text = JsonbToCString(NULL, &jsonb->root, VARSIZE(jsonb));
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid value %s of the parameter \"%s\"", text, parameter->name),
			 errdetail("It must be %s.", wanted)));
}

/* Reads a number, whole where the parameter is. */
static double
number_value(const Parameter *parameter, const JsonbValue *value)
{
	bool		whole = parameter->type == PARAM_INTEGER;
	double		number = 0.0;
	bool		valid = value->type == jbvNumeric;

	if (valid)
	{
		number = DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, NumericGetDatum(value->val.numeric)));
		valid = whole ? number >= parameter->lowest && number <= parameter->highest && number == floor(number) :
			number > parameter->lowest && number < parameter->highest;
	}
	if (!valid)
		bad_value(parameter, value,
				  whole ? psprintf("a whole number from %.0f to %.0f", parameter->lowest, parameter->highest) :
				  parameter->lowest < 0 ? "a number that is not negative" :
				  psprintf("a number between %.0f and %.0f, both excluded", parameter->lowest, parameter->highest));
	return number;
}

/* Returns the number of a word. */
static int
word_value(const Parameter *parameter, const JsonbValue *value)
{
	const char *word = parameter->words;
	StringInfoData list;

	for (int i = 0; value->type == jbvString && *word != '\0'; i++)
	{
		int			length = strcspn(word, " ");

		if (length == value->val.string.len && memcmp(word, value->val.string.val, length) == 0)
			return i;
		word += length + (word[length] == ' ');
	}
	initStringInfo(&list);
	for (word = parameter->words; *word != '\0'; word += strcspn(word, " ") + (word[strcspn(word, " ")] == ' '))
		appendStringInfo(&list, "%s\"%.*s\"", list.len > 0 ? ", " : "", (int) strcspn(word, " "), word);
	bad_value(parameter, value, psprintf("one of the strings %s", list.data));
	return 0;
}

/* Reads a label: a string, or a number or boolean as it is written. */
static FbLabelText
label_value(const Parameter *parameter, const JsonbValue *value, MemoryContext context)
{
	FbLabelText label = {NULL, 0};
	char	   *text = NULL;

	switch (value->type)
	{
		case jbvString:
			text = pnstrdup(value->val.string.val, value->val.string.len);
			break;
		case jbvNumeric:
			text = DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(value->val.numeric)));
			break;
		case jbvBool:
			text = pstrdup(value->val.boolean ? "true" : "false");
			break;
		default:
			bad_value(parameter, value, "a label: a string, a number or a boolean");
	}
	label.data = MemoryContextStrdup(context, text);
	label.len = strlen(text);
	return label;
}

/* Returns the elements of an array, or refuses the value. */
static JsonbContainer *
array_value(const Parameter *parameter, const JsonbValue *value, const char *wanted)
{
	if (value->type != jbvBinary || !JsonContainerIsArray(value->val.binary.data) ||
		JsonContainerSize(value->val.binary.data) == 0)
		bad_value(parameter, value, wanted);
	return value->val.binary.data;
}

/* Reads the labels that averages run over. */
static void
labels_value(const Parameter *parameter, const JsonbValue *value, FbMetricParams *params, MemoryContext context)
{
	JsonbContainer *array;

	if (value->type == jbvString && value->val.string.len == 5 && memcmp(value->val.string.val, "union", 5) == 0)
	{
		params->options.label.set = FB_LABELS_UNION;
		return;
	}
	array = array_value(parameter, value, "an array of labels, or \"union\": all that occur");
	params->options.label.set = FB_LABELS_GIVEN;
	params->labels = MemoryContextAlloc(context, sizeof(FbLabelText) * JsonContainerSize(array));
	for (uint32 i = 0; i < JsonContainerSize(array); i++)
	{
		FbLabelText label = label_value(parameter, getIthJsonbValueFromContainer(array, i), context);
		uint32		j = 0;

		while (j < params->nlabels && (params->labels[j].len != label.len ||
									   memcmp(params->labels[j].data, label.data, label.len) != 0))
			j++;
		if (j < params->nlabels)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("the label \"%s\" occurs twice in the parameter \"labels\"", label.data)));
		params->labels[params->nlabels++] = label;
	}
}

/* Frees a compiled pattern with the memory of its state. */
static void
free_regex(void *arg)
{
	fb_regex_free(arg);
}

/* Compiles the patterns whose matches exact match deletes. */
static void
regexes_value(const Parameter *parameter, const JsonbValue *value, FbMetricParams *params, MemoryContext context)
{
	JsonbContainer *array = array_value(parameter, value, "an array of regular expressions");

	params->regexes = MemoryContextAlloc(context, sizeof(FbRegex *) * JsonContainerSize(array));
	for (uint32 i = 0; i < JsonContainerSize(array); i++)
	{
		JsonbValue *element = getIthJsonbValueFromContainer(array, i);
		MemoryContextCallback *callback;
		char		message[FB_REGEX_MESSAGE_SIZE];
		char	   *pattern;
		uint32		offset;
		FbRegex    *regex;

		if (element->type != jbvString)
			bad_value(parameter, element, "a regular expression");
		pattern = pg_server_to_any(element->val.string.val, element->val.string.len, PG_UTF8);
		callback = MemoryContextAllocZero(context, sizeof(MemoryContextCallback));
		regex = fb_regex_compile((FbString) {pattern, pattern == element->val.string.val ?
											 (uint32) element->val.string.len : (uint32) strlen(pattern)},
								 0, message, &offset);
		if (regex == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_REGULAR_EXPRESSION),
					 errmsg("invalid regular expression \"%.*s\": %s",
							element->val.string.len, element->val.string.val, message),
					 errdetail("It is a Perl-compatible regular expression (PCRE2); the fault is at byte %u.", offset)));
		callback->func = free_regex;
		callback->arg = regex;
		MemoryContextRegisterResetCallback(context, callback);
		params->regexes[params->nregexes++] = regex;
	}
}

/* Sets one option. */
static void
set_parameter(const Parameter *parameter, const JsonbValue *value, FbMetricParams *params, MemoryContext context)
{
	char	   *place = (char *) &params->options + parameter->offset;

	switch (parameter->type)
	{
		case PARAM_BOOLEAN:
		case PARAM_NOT_BOOLEAN:
			if (value->type != jbvBool)
				bad_value(parameter, value, "true or false");
			*(bool *) place = value->val.boolean != (parameter->type == PARAM_NOT_BOOLEAN);
			/* two metrics, one name */
			if (parameter->bit == FB_PARAM_LOWERCASE)
				params->options.chrf.lowercase = value->val.boolean;
			break;
		case PARAM_INTEGER:
			if (parameter->bit == FB_PARAM_K)
				*(int64_t *) place = (int64) number_value(parameter, value);
			else
				*(int *) place = (int) number_value(parameter, value);
			break;
		case PARAM_NUMBER:
			*(double *) place = number_value(parameter, value);
			if (parameter->bit == FB_PARAM_BETA)
				params->options.chrf.beta = params->options.label.beta;
			break;
		case PARAM_WORD:
			if (parameter->bit == FB_PARAM_STRATEGY)
				*(bool *) place = word_value(parameter, value) == 1;
			else
				*(int *) place = word_value(parameter, value);
			break;
		case PARAM_ZERO_DIVISION:
			if (value->type == jbvNull)
				params->options.label.zero_division = FB_ZERO_IS_NULL;
			else
			{
				double		number = -1.0;

				if (value->type == jbvNumeric)
					number = DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow,
																NumericGetDatum(value->val.numeric)));
				if (number != 0.0 && number != 1.0)
					bad_value(parameter, value, "0, 1, or null: undefined, and left out of averages");
				params->options.label.zero_division = number == 0.0 ? FB_ZERO_IS_0 : FB_ZERO_IS_1;
			}
			break;
		case PARAM_LABEL:
			params->pos = label_value(parameter, value, context);
			break;
		case PARAM_LABELS:
			labels_value(parameter, value, params, context);
			break;
		case PARAM_REGEXES:
			regexes_value(parameter, value, params, context);
			break;
	}
}

StaticAssertDecl(sizeof(FbTokenizer) == sizeof(int), "options are written as int");

/*
 * Reads the options of a metric into memory of that context, which they then
 * belong to; source may be NULL.
 */
FbMetricParams *
fb_metric_params(const FbMetricInfo *info, const Jsonb *source, MemoryContext context)
{
	FbMetricParams *params = MemoryContextAllocZero(context, sizeof(FbMetricParams));
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	value;
	bool		has_smooth_value = false;

	fb_metric_defaults(info, &params->options);
	if (source != NULL && !JB_ROOT_IS_OBJECT(source))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the parameters of a metric must be a JSON object")));
	if (source != NULL && JB_ROOT_COUNT(source) > 0)
	{
		Jsonb	   *copy = MemoryContextAlloc(context, VARSIZE(source));

		memcpy(copy, source, VARSIZE(source));
		params->source = copy;
		iterator = JsonbIteratorInit(&copy->root);
		while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
		{
			const Parameter *parameter;

			if (token != WJB_KEY)
				continue;
			parameter = find_parameter(info, pnstrdup(value.val.string.val, value.val.string.len));
			(void) JsonbIteratorNext(&iterator, &value, true);
			set_parameter(parameter, &value, params, context);
			has_smooth_value = has_smooth_value || parameter->bit == FB_PARAM_SMOOTH_VALUE;
		}
	}
	if (!has_smooth_value)
		params->options.bleu.smooth_value = params->options.bleu.smoothing == FB_SMOOTH_FLOOR ? 0.1 : 1.0;
	if (params->options.bleu.smoothing == FB_SMOOTH_FLOOR && params->options.bleu.smooth_value > 1.0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the parameter \"smooth_value\" of \"floor\" must be at most 1, the hit that it stands for")));
	if ((info->params & FB_PARAM_POS) && params->pos.data == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("metric \"%s\" needs the parameter \"pos\"", info->name),
				 errhint("Name the label that counts as positive: params => '{\"pos\": \"yes\"}'.")));
	if (info->id == FB_METRIC_INVALID_RATE && params->labels == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("metric \"%s\" needs the parameter \"labels\"", info->name),
				 errhint("List the valid answers: params => '{\"labels\": [\"yes\", \"no\"]}'.")));
	return params;
}

/* Tells whether these are the options read from source. */
bool
fb_metric_params_same(const FbMetricParams *params, const Jsonb *source)
{
	if (source == NULL || JB_ROOT_COUNT(source) == 0)
		return params->source == NULL;
	return params->source != NULL && VARSIZE(params->source) == VARSIZE(source) &&
		memcmp(params->source, source, VARSIZE(source)) == 0;
}

/* Writes the options as they were given. */
char *
fb_metric_params_text(const FbMetricParams *params)
{
	if (params->source == NULL)
		return pstrdup("{}");
	return JsonbToCString(NULL, (JsonbContainer *) &params->source->root, VARSIZE(params->source));
}

/* Returns the names of the parameters that a metric takes. */
ArrayType *
fb_metric_parameter_array(const FbMetricInfo *info)
{
	Datum		names[lengthof(parameter_list)];
	int			count = 0;

	for (int i = 0; i < lengthof(parameter_list); i++)
	{
		if (info->params & parameter_list[i].bit)
			names[count++] = CStringGetTextDatum(parameter_list[i].name);
	}
	return construct_array(names, count, TEXTOID, -1, false, TYPALIGN_INT);
}

/* Returns a word of a list by its number. */
static char *
word_of(const char *words, int number)
{
	for (; number > 0; number--)
		words += strcspn(words, " ") + 1;
	return pnstrdup(words, strcspn(words, " "));
}

/* Returns what must be told beside a number, in the manner of sacreBLEU where that has a signature. */
char *
fb_metric_params_signature(const FbMetricInfo *info, const FbMetricParams *params)
{
	const FbBleuOptions *bleu = &params->options.bleu;
	const FbChrfOptions *chrf = &params->options.chrf;

	switch (info->id)
	{
		case FB_METRIC_BLEU:
			return psprintf("bleu|case:%s|eff:%s|tok:%s|smooth:%s%s|order:%d|unicode:%s|version:%s",
							bleu->lowercase ? "lc" : "mixed", bleu->effective_order ? "yes" : "no",
							word_of("13a none char intl", bleu->tokenizer),
							word_of("exp floor add-k none", bleu->smoothing),
							bleu->smoothing == FB_SMOOTH_FLOOR || bleu->smoothing == FB_SMOOTH_ADD_K ?
							psprintf("[%.2f]", bleu->smooth_value) : "",
							bleu->max_order, fb_unicode_version(), FB_METRIC_RULES);
		case FB_METRIC_CHRF:
		case FB_METRIC_CHRF_PLUS:
			return psprintf("chrF%g%s|case:%s|eff:%s|nc:%d|nw:%d|space:%s|unicode:%s|version:%s", chrf->beta,
							chrf->word_order > 0 ? "++" : "", chrf->lowercase ? "lc" : "mixed",
							chrf->eps_smoothing ? "no" : "yes", chrf->char_order, chrf->word_order,
							chrf->whitespace ? "yes" : "no", fb_unicode_version(), FB_METRIC_RULES);
		default:
			return psprintf("%s|params:%s|unicode:%s|version:%s", info->name, fb_metric_params_text(params),
							fb_unicode_version(), FB_METRIC_RULES);
	}
}
