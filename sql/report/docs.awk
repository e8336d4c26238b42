# sql/report/docs.awk   writes the part of docs/reports.md that has a section for each
# view, from the comments at the top of the files of this folder ("make docs/reports.md").

FNR == 1 {
	name = $2
	printf "\n### `%s`\n\n", name
	per_lead = /per lead$/
	place = "comment"
	next
}

place == "comment" && $0 == "--" {
	print "\n| column | |\n|---|---|"
	place = "columns"
	next
}

place == "comment" {
	sub(/^-- /, "")
	print
	next
}

place == "columns" && /^-- [a-z_0-9]+: / {
	if (row != "")
		print row " |"
	if (per_lead && row ~ /`row_key`/)
		print "| the key columns | the key of the lead, as the table has it |"
	column = $2
	sub(/:$/, "", column)
	sub(/^-- [a-z_0-9]+: /, "")
	gsub(/\|/, "\\|")
	row = "| `" column "` | " $0
	next
}

place == "columns" && /^--   / {
	sub(/^--   */, "")
	gsub(/\|/, "\\|")
	row = row " " $0
	next
}

place == "columns" {
	print row " |"
	row = ""
	place = "query"
}
