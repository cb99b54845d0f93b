/*
 * row_context.c
 *		Reads attributes out of the columns of a row, without a jsonb between.
 *
 * The row comes in one of two forms.  Where the planner could see its columns
 * (see row_support.c), they are arguments of their own behind the declared ones.  Else
 * it is one composite value.  In both an attribute has the value that to_jsonb would
 * give its column, except that NULL is a missing attribute and not a JSON null.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "common/shortest_dec.h"
#include "nodes/makefuncs.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/numeric.h"
#include "utils/typcache.h"

#include "flags/context.h"
#include "flags/evaluation.h"
#include "flags/row_context.h"
#include "pg_compat.h"

/* Whole numbers up to this are exact in a float of 24 bits. */
#define EXACT_IN_FLOAT		16777216.0

/* Length of the name of a column that no path finds. */
#define NO_NAME				UINT32_MAX

/* Reads a whole number. */
static inline void
fill_integer(int64 number, FbValue *value)
{
	value->kind = FB_VALUE_NUMBER;
	value->number = (double) number;
	value->exact = NULL;
	if (unlikely(number > FB_EXACT_IN_DOUBLE || number < -FB_EXACT_IN_DOUBLE))
		value->exact = int64_to_numeric(number);
}

/* Reads a text, which in a table is mostly a short one. */
static inline void
fill_text(Datum datum, FbValue *value)
{
	text	   *string = (text *) DatumGetPointer(datum);

	value->kind = FB_VALUE_STRING;
	value->exact = NULL;
	if (likely(VARATT_IS_SHORT(string)))
	{
		value->string.data = VARDATA_SHORT(string);
		value->string.length = VARSIZE_SHORT(string) - VARHDRSZ_SHORT;
	}
	else
	{
		string = fb_text(datum);
		value->string.data = VARDATA_ANY(string);
		value->string.length = VARSIZE_ANY_EXHDR(string);
	}
}

/* Reads a column of a type without a reading of its own as to_jsonb converts it. */
static void
fill_by_to_jsonb(FbRowShape *shape, FbRowColumn *column, Datum datum, FbValue *value)
{
	if (column->to_jsonb == NULL)
	{
		MemoryContext old_context = MemoryContextSwitchTo(shape->context);
		FmgrInfo   *function = palloc(sizeof(FmgrInfo));
		Node	   *argument = (Node *) makeNullConst(column->type, -1, InvalidOid);

		fmgr_info(F_TO_JSONB, function);
		fmgr_info_set_expr((Node *) makeFuncExpr(F_TO_JSONB, JSONBOID, list_make1(argument),
												 InvalidOid, InvalidOid, COERCE_EXPLICIT_CALL), function);
		column->to_jsonb = function;
		MemoryContextSwitchTo(old_context);
	}
	fb_jsonb_value(&DatumGetJsonbP(FunctionCall1(column->to_jsonb, datum))->root, value);
}

/* Reads a decimal text of a floating point number. */
static void
fill_decimal(const char *decimal, FbValue *value)
{
	value->kind = FB_VALUE_NUMBER;
	value->number = 0;
	value->exact = DatumGetNumeric(DirectFunctionCall3(numeric_in, CStringGetDatum(decimal),
													   ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));
}

/* Reads a floating point number: the shortest decimal that stands for it. */
static void
fill_float(FbRowShape *shape, FbRowColumn *column, Datum datum, FbValue *value)
{
	char		decimal[DOUBLE_SHORTEST_DECIMAL_LEN];

	if (column->type == FLOAT8OID)
	{
		float8		number = DatumGetFloat8(datum);

		if (fabs(number) <= FB_EXACT_IN_DOUBLE && number == floor(number))
			fill_integer((int64) number, value);
		else if (isnan(number) || isinf(number))
			fill_by_to_jsonb(shape, column, datum, value);
		else
		{
			double_to_shortest_decimal_buf(number, decimal);
			fill_decimal(decimal, value);
		}
	}
	else
	{
		float4		number = DatumGetFloat4(datum);

		if (fabsf(number) <= EXACT_IN_FLOAT && number == floorf(number))
			fill_integer((int64) number, value);
		else if (isnan(number) || isinf(number))
			fill_by_to_jsonb(shape, column, datum, value);
		else
		{
			float_to_shortest_decimal_buf(number, decimal);
			fill_decimal(decimal, value);
		}
	}
}

/* Reads a numeric. */
static void
fill_numeric(FbRowShape *shape, FbRowColumn *column, Datum datum, FbValue *value)
{
	struct varlena *bytes = (struct varlena *) fb_text(datum);
	int64		integer;

	if (fb_small_integer(bytes, &integer))
		fill_integer(integer, value);
	else
	{
		Numeric		number = DatumGetNumeric(PointerGetDatum(bytes));

		if (numeric_is_nan(number) || numeric_is_inf(number))
			fill_by_to_jsonb(shape, column, datum, value);
		else
		{
			value->kind = FB_VALUE_NUMBER;
			value->number = 0;
			value->exact = number;
		}
	}
}

/* Reads a column that is not NULL. */
static inline void
fill_value(FbRowShape *shape, FbRowColumn *column, Datum datum, FbValue *value)
{
	switch (column->type)
	{
		case TEXTOID:
		case VARCHAROID:
		case BPCHAROID:
			fill_text(datum, value);
			break;
		case NAMEOID:
			value->kind = FB_VALUE_STRING;
			value->string.data = NameStr(*DatumGetName(datum));
			value->string.length = strlen(value->string.data);
			value->exact = NULL;
			break;
		case UUIDOID:
			value->kind = FB_VALUE_STRING;
			value->string = fb_user_key(datum, FB_KEY_UUID, palloc(FB_KEY_BUFFER));
			value->exact = NULL;
			break;
		case BOOLOID:
			value->kind = FB_VALUE_BOOLEAN;
			value->boolean = DatumGetBool(datum);
			value->exact = NULL;
			break;
		case INT2OID:
			fill_integer(DatumGetInt16(datum), value);
			break;
		case INT4OID:
			fill_integer(DatumGetInt32(datum), value);
			break;
		case INT8OID:
			fill_integer(DatumGetInt64(datum), value);
			break;
		case NUMERICOID:
			fill_numeric(shape, column, datum, value);
			break;
		case FLOAT4OID:
		case FLOAT8OID:
			fill_float(shape, column, datum, value);
			break;
		case JSONBOID:
			fb_jsonb_value(&DatumGetJsonbP(datum)->root, value);
			break;
		default:
			fill_by_to_jsonb(shape, column, datum, value);
			break;
	}
}

/* Tells whether a column has a name. */
static inline bool
is_named(const FbRowShape *shape, uint32 column, FbString name)
{
	return column < shape->count && fb_string_equal(shape->columns[column].name, name);
}

/* Finds a column by name, first where it was last time; -1: there is none. */
static int
find_column(const FbRowShape *shape, const FbPath *path)
{
	if (is_named(shape, path->hint, path->steps[0]))
		return path->hint;
	for (int i = 0; i < shape->count; i++)
		if (is_named(shape, i, path->steps[0]))
		{
			((FbPath *) path)->hint = i;
			return i;
		}
	return -1;
}

/* Takes the columns out of a composite value. */
static void
deform(FbRowContext *row)
{
	HeapTupleData tuple;

	tuple.t_len = HeapTupleHeaderGetDatumLength(row->tuple);
	ItemPointerSetInvalid(&tuple.t_self);
	tuple.t_tableOid = InvalidOid;
	tuple.t_data = row->tuple;
	heap_deform_tuple(&tuple, row->shape->desc, row->shape->values, row->shape->nulls);
	row->deformed = true;
}

/* Finds an attribute. */
static pg_noinline bool
find_attribute(const FbContext *context, const FbPath *path, FbValue *value)
{
	FbRowContext *row = (FbRowContext *) context;
	FbRowShape *shape = row->shape;
	int			column;
	Datum		datum;

	if (row->arguments == NULL && row->tuple == NULL)
		return false;
	column = find_column(shape, path);
	if (column < 0)
		return false;
	if (likely(row->arguments != NULL))
	{
		if (row->arguments[column].isnull)
			return false;
		datum = row->arguments[column].value;
	}
	else
	{
		if (!row->deformed)
			deform(row);
		if (shape->nulls[column])
			return false;
		datum = shape->values[column];
	}
	fill_value(shape, &shape->columns[column], datum, value);
	return likely(path->count == 1) ||
		(value->kind == FB_VALUE_OBJECT &&
		 fb_jsonb_path((JsonbContainer *) value->array, path, 1, value));
}

/* Finds an attribute: quickly in a column of a frequent type that comes as an argument. */
static bool
lookup(const FbContext *context, const FbPath *path, FbValue *value)
{
	const FbRowContext *row = (const FbRowContext *) context;
	uint32		column = path->hint;

	if (likely(row->arguments != NULL && path->count == 1 && is_named(row->shape, column, path->steps[0])))
	{
		NullableDatum argument = row->arguments[column];

		if (argument.isnull)
			return false;
		switch (row->shape->columns[column].type)
		{
			case TEXTOID:
			case VARCHAROID:
				fill_text(argument.value, value);
				return true;
			case BOOLOID:
				value->kind = FB_VALUE_BOOLEAN;
				value->boolean = DatumGetBool(argument.value);
				value->exact = NULL;
				return true;
			case INT4OID:
				value->kind = FB_VALUE_NUMBER;
				value->number = DatumGetInt32(argument.value);
				value->exact = NULL;
				return true;
			default:
				break;
		}
	}
	return find_attribute(context, path, value);
}

/* Makes an empty shape of a number of columns. */
static FbRowShape *
new_shape(FbCallSite *site, int count)
{
	MemoryContext context = AllocSetContextCreate(site->context, "featbit row", ALLOCSET_SMALL_SIZES);
	FbRowShape *shape = MemoryContextAllocZero(context, sizeof(FbRowShape));

	shape->context = context;
	shape->count = count;
	shape->columns = MemoryContextAllocZero(context, sizeof(FbRowColumn) * Max(count, 1));
	fb_context_methods(&shape->methods);
	shape->methods.lookup = lookup;
	return shape;
}

/* Names a column of a shape; of several of one name the last counts, as in a jsonb. */
static void
set_column(FbRowShape *shape, int column, const char *name, Oid type)
{
	for (int i = 0; i < column; i++)
		if (shape->columns[i].name.length == strlen(name) &&
			memcmp(shape->columns[i].name.data, name, strlen(name)) == 0)
			shape->columns[i].name.length = NO_NAME;
	shape->columns[column].name.data = MemoryContextStrdup(shape->context, name);
	shape->columns[column].name.length = strlen(name);
	shape->columns[column].type = getBaseType(type);
}

/* Finds out the columns that come as arguments: their names are the array in place of the row. */
static FbRowShape *
argument_shape(FbCallSite *site, FunctionCallInfo fcinfo, int argument)
{
	Datum	   *names;
	int			count;
	FbRowShape *shape;

	deconstruct_array(PG_GETARG_ARRAYTYPE_P(argument), TEXTOID, -1, false, TYPALIGN_INT, &names, NULL, &count);
	if (count != PG_NARGS() - argument - 2)
		elog(ERROR, "a row has %d columns and %d names", PG_NARGS() - argument - 2, count);
	shape = new_shape(site, count);
	for (int i = 0; i < count; i++)
		set_column(shape, i, TextDatumGetCString(names[i]),
				   get_fn_expr_argtype(fcinfo->flinfo, argument + 2 + i));
	return shape;
}

/* Finds out the columns of a composite type; identifier is that of the type cache. */
static FbRowShape *
tuple_shape(FbCallSite *site, Oid type, int32 typmod, uint64 identifier)
{
	TupleDesc	desc = lookup_rowtype_tupdesc(type, typmod);
	FbRowShape *shape = new_shape(site, desc->natts);
	MemoryContext old_context = MemoryContextSwitchTo(shape->context);

	shape->type = type;
	shape->typmod = typmod;
	shape->identifier = identifier;
	shape->desc = CreateTupleDescCopy(desc);
	shape->values = palloc(sizeof(Datum) * Max(desc->natts, 1));
	shape->nulls = palloc(sizeof(bool) * Max(desc->natts, 1));
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, i);

		if (attribute->attisdropped)
			shape->columns[i].name.length = NO_NAME;
		else
			set_column(shape, i, NameStr(attribute->attname), attribute->atttypid);
	}
	MemoryContextSwitchTo(old_context);
	ReleaseTupleDesc(desc);
	return shape;
}

/* Makes a source of attributes of a row that is an argument of a call, or of its columns behind the arguments. */
const FbContext *
fb_row_context(FbRowContext *storage, FbCallSite *site, FunctionCallInfo fcinfo, int argument)
{
	FbRowShape *shape = site->row;

	storage->arguments = NULL;
	storage->tuple = NULL;
	storage->deformed = false;
	if (likely(PG_NARGS() > argument + 2))
	{
		if (unlikely(shape == NULL))
			shape = site->row = argument_shape(site, fcinfo, argument);
		storage->arguments = &fcinfo->args[argument + 2];
	}
	else if (PG_ARGISNULL(argument))
	{
		if (shape == NULL)
			shape = site->row = new_shape(site, 0);
	}
	else
	{
		Oid			type;
		int32		typmod;
		uint64		identifier;

		storage->tuple = PG_GETARG_HEAPTUPLEHEADER(argument);
		type = HeapTupleHeaderGetTypeId(storage->tuple);
		typmod = HeapTupleHeaderGetTypMod(storage->tuple);
		identifier = assign_record_type_identifier(type, typmod);
		if (shape == NULL || shape->type != type || shape->typmod != typmod || shape->identifier != identifier)
		{
			if (shape != NULL)
				MemoryContextDelete(shape->context);
			site->row = NULL;
			shape = site->row = tuple_shape(site, type, typmod, identifier);
		}
	}
	storage->shape = shape;
	storage->base.methods = &shape->methods;
	return &storage->base;
}
