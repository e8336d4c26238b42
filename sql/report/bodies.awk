# sql/report/bodies.awk   makes C of the files of this folder: the header
# src/report/report_bodies.h, which src/report/body.c includes.
#
# A view's file begins with a comment: its name (followed by "per lead" if it has
# the key columns), the comment of the view, and after an empty line one entry for
# each column, "name: comment".  The rest is its query.  A file of parts/ is a
# query that others include, one of stored/ a query that views read and tables can
# store, one of table/ begins like a view and is a query that fills a table for
# users, and one of page/ is a query for a section of the weekly page, after a
# comment.  A part whose comment begins with "Once:" is computed once in a page.

function quoted(text)
{
	gsub(/\\/, "\\\\\\\\", text)
	gsub(/"/, "\\\"", text)
	return "\"" text "\""
}

function fault(message)
{
	print FILENAME ":" FNR ": " message >"/dev/stderr"
	failed = 1
	exit 1
}

function finish_column()
{
	if (column != "")
		columns = columns "\t{" quoted(column) ", " quoted(column_comment) "},\n"
	column = ""
}

function finish_file()
{
	if (name == "")
		return
	finish_column()
	if (body == "")
		fault("no query")
	if (has_columns)
		print "static const ReportColumn " name "_columns[] = {\n" columns "\t{NULL, NULL}\n};\n"
	# not by sprintf: mawk has a limit of 8 kB
	list = list "\t{\n\t\t.name = " quoted(name) ", .kind = REPORT_" kind \
		", .per_lead = " (per_lead ? "true" : "false") \
		", .once = " (once ? "true" : "false") \
		", .columns = " (has_columns ? name "_columns" : "NULL") \
		",\n\t\t.comment = " quoted(comment) ",\n\t\t.query =\n" body "\t},\n"
}

# The encoding of the database is any.
/[^\t -~]/ {
	fault("not ASCII")
}

FNR == 1 {
	finish_file()
	name = FILENAME
	sub(/.*\//, "", name)
	sub(/\.sql$/, "", name)
	kind = FILENAME ~ /parts\/[^\/]*$/ ? "PART" : FILENAME ~ /page\/[^\/]*$/ ? "PAGE" \
		: FILENAME ~ /stored\/[^\/]*$/ ? "STORED" : FILENAME ~ /table\/[^\/]*$/ ? "TABLE" : "VIEW"
	has_columns = kind == "VIEW" || kind == "TABLE"
	per_lead = 0
	once = kind == "PART" && /^-- Once: /
	comment = columns = column = body = ""
	place = has_columns ? "name" : "query"
}

place == "name" {
	if ($0 != "-- " name && $0 != "-- " name " per lead")
		fault("the first line is not \"-- " name "\"")
	per_lead = /per lead$/
	place = "comment"
	next
}

place == "comment" {
	if ($0 == "--")
		place = "columns"
	else if (sub(/^-- /, ""))
		comment = comment (comment == "" ? "" : " ") $0
	else
		fault("no comments of columns")
	next
}

place == "columns" {
	if (/^-- [a-z_0-9]+: /)
	{
		finish_column()
		column = $2
		sub(/:$/, "", column)
		column_comment = $0
		sub(/^-- [a-z_0-9]+: /, "", column_comment)
		next
	}
	if (column != "" && sub(/^--   */, ""))
	{
		column_comment = column_comment " " $0
		next
	}
	if ($0 != "")
		fault("neither a column nor its continuation, and no empty line")
	finish_column()
	place = "query"
	next
}

{ body = body "\t\t" quoted($0) "\"\\n\"\n" }

END {
	if (failed)
		exit 1
	finish_file()
	print "static const ReportBody report_bodies[] = {\n" list "};"
}
