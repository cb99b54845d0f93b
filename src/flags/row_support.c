/*
 * row_support.c
 *		Shows the planner how to pass a row by its columns.
 *
 * To form a row costs more than to evaluate a flag on it.  Where the planner
 * knows the columns (the row of a table or of a subquery), the call gets them
 * as arguments of their own, behind those that the function declares, and in place
 * of the row an array of their names.  Only plans contain such calls.
 */
#include "postgres.h"

#include "access/table.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "nodes/pathnodes.h"
#include "nodes/supportnodes.h"
#include "optimizer/optimizer.h"
#include "parser/parsetree.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "pg_compat.h"

PG_FUNCTION_INFO_V1(fb_row_support);

/* The columns of a row, both lists of the same length. */
typedef struct RowColumns
{
	List	   *names;			/* of char * */
	List	   *values;			/* of Node * */
} RowColumns;

/* Adds a column of the relation whose whole row a Var is. */
static void
add_column(RowColumns *columns, const Var *row, AttrNumber number, const char *name,
		   Oid type, int32 typmod, Oid collation)
{
	Var		   *column = copyObject((Var *) row);

	column->varattno = number;
	if (column->varattnosyn == 0 && column->varnosyn != 0)
		column->varattnosyn = number;
	column->vartype = type;
	column->vartypmod = typmod;
	column->varcollid = collation;
	columns->names = lappend(columns->names, pstrdup(name));
	columns->values = lappend(columns->values, column);
}

/* Lists the columns of a table; false when they cannot be read one by one. */
static bool
table_columns(const RangeTblEntry *rte, const Var *row, RowColumns *columns)
{
	Relation	relation;
	bool		readable = true;

	if (rte->relkind == RELKIND_VIEW)
		return false;
	/* the planner holds a lock on it */
	relation = table_open(rte->relid, NoLock);
	for (int i = 0; i < RelationGetNumberOfAttributes(relation) && readable; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(RelationGetDescr(relation), i);

		if (attribute->attisdropped)
			continue;
		/* what is computed when it is read has been put into the query before */
		readable = attribute->attgenerated == '\0' || attribute->attgenerated == 's';
		add_column(columns, row, attribute->attnum, NameStr(attribute->attname),
				   attribute->atttypid, attribute->atttypmod, attribute->attcollation);
	}
	table_close(relation, NoLock);
	return readable;
}

/* Lists the columns of a subquery. */
static void
subquery_columns(const RangeTblEntry *rte, const Var *row, RowColumns *columns)
{
	ListCell   *cell;

	foreach(cell, rte->subquery->targetList)
	{
		TargetEntry *entry = lfirst_node(TargetEntry, cell);
		Node	   *value = (Node *) entry->expr;

		if (!entry->resjunk && entry->resno <= list_length(rte->eref->colnames))
			add_column(columns, row, entry->resno, strVal(list_nth(rte->eref->colnames, entry->resno - 1)),
					   exprType(value), exprTypmod(value), exprCollation(value));
	}
}

/* Lists the columns of a row; false when the planner does not know them. */
static bool
row_columns(PlannerInfo *root, Node *row, RowColumns *columns)
{
	if (IsA(row, RowExpr) && ((RowExpr *) row)->row_typeid == RECORDOID)
	{
		columns->names = NIL;
		columns->values = ((RowExpr *) row)->args;
		if (list_length(((RowExpr *) row)->colnames) != list_length(columns->values))
			return false;
		for (int i = 0; i < list_length(columns->values); i++)
			columns->names = lappend(columns->names, strVal(list_nth(((RowExpr *) row)->colnames, i)));
		return true;
	}
	if (IsA(row, Var) && ((Var *) row)->varattno == InvalidAttrNumber && ((Var *) row)->varlevelsup == 0)
	{
		RangeTblEntry *rte = rt_fetch(((Var *) row)->varno, root->parse->rtable);

		if (rte->rtekind == RTE_RELATION)
			return table_columns(rte, (Var *) row, columns);
		if (rte->rtekind == RTE_SUBQUERY && rte->subquery != NULL)
		{
			subquery_columns(rte, (Var *) row, columns);
			return true;
		}
	}
	return false;
}

/* Tells whether a query groups by rows, or by several sets of columns, which turns some to NULL. */
static bool
groups_rows(const Query *query)
{
	ListCell   *cell;

	if (query->groupingSets != NIL)
		return true;
	foreach(cell, query->targetList)
	{
		TargetEntry *entry = lfirst_node(TargetEntry, cell);

		if (entry->ressortgroupref != 0 && type_is_rowtype(exprType((Node *) entry->expr)))
			return true;
	}
	return false;
}

/* Makes the array of the names. */
static Const *
name_array(const List *names)
{
	Datum	   *datums = palloc(sizeof(Datum) * list_length(names));
	ArrayType  *array;

	for (int i = 0; i < list_length(names); i++)
		datums[i] = CStringGetTextDatum(list_nth(names, i));
	array = construct_array(datums, list_length(names), TEXTOID, -1, false, TYPALIGN_INT);
	return makeConst(TEXTARRAYOID, -1, InvalidOid, -1, PointerGetDatum(array), false, false);
}

/* The support function of those that take a row as their last argument but one. */
Datum
fb_row_support(PG_FUNCTION_ARGS)
{
	Node	   *request = (Node *) PG_GETARG_POINTER(0);
	SupportRequestSimplify *simplify = (SupportRequestSimplify *) request;
	RowColumns	columns = {NIL, NIL};
	FuncExpr   *call;
	int			declared;

	if (!IsA(request, SupportRequestSimplify) || simplify->root == NULL)
		PG_RETURN_POINTER(NULL);
	declared = get_func_nargs(simplify->fcall->funcid);
	if (list_length(simplify->fcall->args) != declared || groups_rows(simplify->root->parse) ||
		!row_columns(simplify->root, list_nth(simplify->fcall->args, declared - 2), &columns) ||
		columns.values == NIL || declared + list_length(columns.values) > FUNC_MAX_ARGS)
		PG_RETURN_POINTER(NULL);
	call = copyObject(simplify->fcall);
	lfirst(list_nth_cell(call->args, declared - 2)) = name_array(columns.names);
	call->args = list_concat(call->args, copyObject(columns.values));
	PG_RETURN_POINTER(call);
}
