-- Which of these rights the role of this session lacks. Tables that are not there are passed over. A right to some columns counts: which
-- ones are needed is seen when they are.
-- $1 schema, or NULL: wherever the search path leads, $2 tables, $3 verbs, one for each table
-- -> table (NULL: the schema itself) and verb
SELECT NULL AS relation, 'USAGE' AS verb
FROM pg_namespace
WHERE nspname = coalesce($1, 'public') AND NOT has_schema_privilege(oid, 'USAGE')
UNION ALL
SELECT wanted.relation, upper(wanted.verb)
FROM unnest($2::text[], $3::text[]) AS wanted (relation, verb)
JOIN pg_class AS found ON found.oid = to_regclass(wanted.relation)
WHERE NOT has_table_privilege(found.oid, wanted.verb)
  AND NOT (wanted.verb <> 'delete' AND has_any_column_privilege(found.oid, CASE WHEN wanted.verb = 'delete' THEN 'select' ELSE wanted.verb END))
