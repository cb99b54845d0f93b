/*
 * fb_ngram.c
 *		Counting the n-grams that texts share, exactly and in linear time.
 *
 * An n-gram is known by the number of its first n - 1 tokens and its last
 * token, so that one hash table of pairs serves each order in turn.
 */
#include "core/fb_ngram.h"

#include <string.h>

#define NOWHERE UINT32_MAX

typedef struct Pair
{
	uint32_t	prefix;
	uint32_t	token;
	uint32_t	number;			/* of the n-gram, from 1; 0: free */
} Pair;

typedef struct Table
{
	Pair	   *pairs;
	size_t		size;			/* a power of two */
} Table;

/* Finds the place of an n-gram, or the free one where it belongs. */
static inline Pair *
find(const Table *table, uint32_t prefix, uint32_t token)
{
	uint64_t	key = ((uint64_t) prefix << 32) | token;
	size_t		place;

	key ^= key >> 29;
	key *= UINT64_C(0xBF58476D1CE4E5B9);
	key ^= key >> 32;
	for (place = key & (table->size - 1);; place = (place + 1) & (table->size - 1))
	{
		Pair	   *pair = &table->pairs[place];

		if (pair->number == 0 || (pair->prefix == prefix && pair->token == token))
			return pair;
	}
}

/*
 * Counts for each order from 1 how many n-grams of text are found in others,
 * no n-gram oftener than it is found there: each[i * orders + order - 1] for
 * every one of the others alone, best[order - 1] with the count of each n-gram
 * in that which has it most often (Papineni et al. 2002, BLEU, section 2.1).
 * Either result may be NULL.
 */
void
fb_ngram_matches(FbWork *work, FbTokens text, const FbTokens *others, size_t count, int orders,
				 int64_t *each, int64_t *best)
{
	Table		table = {NULL, 16};
	uint32_t   *at = fb_work_array(work, uint32_t, text.count);
	uint32_t  **other_at = fb_work_array(work, uint32_t *, count);
	uint32_t   *have = fb_work_array(work, uint32_t, text.count);
	uint32_t   *seen = fb_work_array(work, uint32_t, text.count);
	uint32_t   *most = fb_work_array(work, uint32_t, text.count);

	while (table.size < 2 * text.count)
		table.size *= 2;
	table.pairs = fb_work_array(work, Pair, table.size);
	memset(at, 0, sizeof(uint32_t) * text.count);
	for (size_t i = 0; i < count; i++)
	{
		other_at[i] = fb_work_array(work, uint32_t, others[i].count);
		memset(other_at[i], 0, sizeof(uint32_t) * others[i].count);
	}

	for (int order = 1; order <= orders; order++)
	{
		uint32_t	last = (uint32_t) order - 1;
		uint32_t	grams = 0;
		size_t		total = (size_t) fb_ngram_total(text.count, order);

		memset(table.pairs, 0, sizeof(Pair) * table.size);
		for (size_t i = 0; i < total; i++)
		{
			Pair	   *pair = find(&table, at[i], text.ids[i + last]);

			if (pair->number == 0)
			{
				*pair = (Pair) {at[i], text.ids[i + last], ++grams};
				have[grams - 1] = most[grams - 1] = seen[grams - 1] = 0;
			}
			at[i] = pair->number;
			have[pair->number - 1]++;
		}
		work->poll(work);
		for (size_t o = 0; o < count; o++)
		{
			uint32_t   *where = other_at[o];
			size_t		other_total = (size_t) fb_ngram_total(others[o].count, order);
			int64_t		matches = 0;

			for (size_t i = 0; i < other_total; i++)
			{
				Pair	   *pair;

				if (where[i] == NOWHERE)
					continue;
				pair = find(&table, where[i], others[o].ids[i + last]);
				where[i] = pair->number == 0 ? NOWHERE : pair->number;
				if (pair->number != 0 && ++seen[pair->number - 1] <= have[pair->number - 1])
					matches++;
			}
			if (each != NULL)
				each[o * (size_t) orders + last] = matches;
			for (size_t i = 0; i < other_total; i++)
			{
				if (where[i] == NOWHERE)
					continue;
				if (seen[where[i] - 1] > most[where[i] - 1])
					most[where[i] - 1] = seen[where[i] - 1];
				seen[where[i] - 1] = 0;
			}
			work->poll(work);
		}
		if (best != NULL)
		{
			best[last] = 0;
			for (uint32_t i = 0; i < grams; i++)
				best[last] += most[i] < have[i] ? most[i] : have[i];
		}
	}
}
