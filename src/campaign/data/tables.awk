# tables.awk   writes src/campaign/tables.h from the lists beside it.
#
# Each list becomes an array of rows and a hash table of row numbers (0 is an
# empty slot), with the hash function of lists.c and linear probing.

BEGIN {
	FS = "\t"
	for (i = 1; i < 128; i++)
		code[sprintf("%c", i)] = i
	split("none search shopping social video ai", names, " ")
	for (i in names)
		category_name["" names[i]] = "SOURCE_" toupper(names[i])
	split("paid affiliate email free any share", names, " ")
	for (i in names)
		evidence_name["" names[i]] = "EVIDENCE_" toupper(names[i])
	ntags = split("utm_source utm_medium utm_campaign utm_term utm_content utm_id " \
		"utm_source_platform utm_creative_format utm_marketing_tactic referrer", tags, " ")
}

/^#/ || /^$/ {
	next
}

list == "ga4" {
	add_source($1, $2, "")
}

list == "ai" {
	add_source($1, "ai", "")
}

list == "own" {
	if ($1 ~ /\.\*$/)
		wildcard[++nwildcards] = substr($1, 1, length($1) - 2) "\t" $2 "\t" $3
	else
		add_source($1, $2, $3)
}

list == "clicks" {
	if (!($3 in evidence_name))
		fail("unknown evidence")
	click[++nclicks] = $0
}

list == "words" {
	word[++nwords] = $1
	word_channel[nwords] = $2
	word_alone[nwords] = ($3 == "alone")
}

function fail(message)
{
	print FILENAME ": line " FNR ": " message | "cat >&2"
	failed = 1
	exit 1
}

function add_source(key, category, of)
{
	if (!(category in category_name))
		fail("unknown category")
	if (!(key in source_number))
	{
		source_number[key] = ++nsources
		source[nsources] = key
	}
	source_category[key] = category
	source_platform[key] = of
}

# The platform of a listed source: a label of the host that is listed by itself.
function platform(key,    labels, n, i)
{
	if (source_platform[key] != "" || source_category[key] == "none")
		return source_platform[key]
	n = split(key, labels, ".")
	for (i = n; i >= 1; i--)
		if (n > 1 && (labels[i] in source_number))
			return source_platform[labels[i]] != "" ? source_platform[labels[i]] : labels[i]
	return key
}

function hash(key, backwards,    h, i, n)
{
	n = length(key)
	h = 0
	for (i = 1; i <= n; i++)
		h = (h * 33 + code[substr(key, backwards ? n + 1 - i : i, 1)]) % 4294967296
	return h
}

# A C string.
function quoted(s)
{
	gsub(/["\\]/, "\\\\&", s)
	return "\"" s "\""
}

function string(s)
{
	return quoted(s) ", " length(s)
}

# max is the longest key that lists.c looks up; the hash functions agree on ASCII only.
function slots(name, size, max, keys, n, backwards,    i, slot, table, line)
{
	if (n >= size)
		fail("the hash table \"" name "\" is full")
	for (i = 1; i <= n; i++)
	{
		if (length(keys[i]) > max || keys[i] ~ /[^ -~]/)
			fail("\"" keys[i] "\" is too long, or not ASCII")
		slot = hash(keys[i], backwards) % size
		while (slot in table)
			slot = (slot + 1) % size
		table[slot] = i
	}
	print "\n#define " toupper(name) "_NSLOTS " size
	print "static const uint16 " name "_slots[" size "] = {"
	line = "\t"
	for (i = 0; i < size; i++)
	{
		line = line ((i in table) ? table[i] : 0) ","
		if (length(line) > 85)
		{
			print line
			line = "\t"
		}
	}
	print line "\n};"
}

END {
	if (failed)
		exit 1
	print "/* tables.h: made by data/tables.awk from the lists in data; do not edit */"

	print "\nstatic const SourceRow source_rows[] = {"
	for (i = 1; i <= nsources; i++)
		print "\t{" string(source[i]) ", " category_name[source_category[source[i]]] ", " string(platform(source[i])) "},"
	print "};"
	slots("source", 2039, 64, source, nsources, 1)

	print "\nstatic const SourceRow wildcard_rows[] = {"
	for (i = 1; i <= nwildcards; i++)
	{
		split(wildcard[i], field, "\t")
		print "\t{" string(field[1]) ", " category_name[field[2]] ", " string(field[3]) "},"
	}
	print "};"

	print "\n#define NCLICKS " nclicks
	print "static const ClickId click_rows[] = {"
	for (i = 1; i <= nclicks; i++)
	{
		split(click[i], field, "\t")
		print "\t{" quoted(field[2]) ", " evidence_name[field[3]] ", " (field[4] == "" ? "NULL" : quoted(field[4])) ", " quoted(field[5]) "},"
	}
	print "};"

	print "\nstatic const ParamRow param_rows[] = {"
	for (i = 1; i <= ntags; i++)
	{
		param[++nparams] = tags[i]
		print "\t{" string(tags[i]) ", PARAM_TAG, " i - 1 "},"
	}
	for (i = 1; i <= nclicks; i++)
	{
		split(click[i], field, "\t")
		param[++nparams] = field[1]
		kind = "PARAM_CLICK"
		if (field[1] == "gad_campaignid")
			kind = "PARAM_GOOGLE_CAMPAIGN"
		if (field[1] == "hsa_cam")
			kind = "PARAM_HUBSPOT_CAMPAIGN"
		print "\t{" string(field[1]) ", " kind ", " i - 1 "},"
	}
	param[++nparams] = "hsa_net"
	print "\t{" string("hsa_net") ", PARAM_HUBSPOT_NETWORK, 0},"
	print "};"
	slots("param", 211, 24, param, nparams, 0)

	print "\nstatic const WordRow word_rows[] = {"
	for (i = 1; i <= nwords; i++)
		print "\t{" string(word[i]) ", " quoted(word_channel[i]) ", " (word_alone[i] ? "true" : "false") "},"
	print "};"
	slots("word", 499, 32, word, nwords, 0)
}
