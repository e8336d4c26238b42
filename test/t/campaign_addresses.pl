# Campaigns: decoding beside node's URLSearchParams, databases in other encodings,
# and each source of the lists in its category.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use Encode;
use File::Basename;
use File::Spec;

my $top = File::Spec->rel2abs(dirname(__FILE__) . '/../..');
my $node = PostgreSQL::Test::Cluster->new('campaign_addresses');
$node->init(extra => [ '-E', 'UTF8', '--locale=C' ]);
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION align');

# Lists: the last one that names a source decides.
my %channel = (search => 'Organic Search', shopping => 'Organic Shopping', social => 'Organic Social', video => 'Organic Video', ai => 'AI Assistant', none => 'Unassigned');
my %category;
foreach my $list ('ga4_sources', 'ai_assistants', 'own_sources')
{
	my @lines = grep { !/^(#|$)/ } split /\n/, slurp_file("$top/src/campaign/data/$list.tsv");

	cmp_ok(scalar @lines, '>', 20, "$list.tsv has sources");
	foreach my $line (@lines)
	{
		my ($source, $category) = split /\t/, $line;

		$category{ $source =~ s/\*$/com/r } = $category // 'ai';
	}
}
my @sources = sort keys %category;
my @channels = split /\n/, $node->safe_psql('postgres', join(";\n", map { "SELECT align.channel(align.parse_campaign('utm_source=' || '" . s/\+/%2B/r . "'))" } @sources));
is(scalar @channels, scalar @sources, 'a channel for each source');
my @wrong = grep { $channels[$_] ne $channel{ $category{ $sources[$_] } } } 0 .. $#sources;
# these name a channel by themselves
@wrong = grep { $sources[$_] ne 'print' } @wrong;
is(join(' ', map { "$sources[$_]:$channels[$_]" } @wrong), '', 'each source is in its category');
# and below a host, as a referrer
my @hosts = grep { /\./ && !/\// && !/^com\.|^org\./ && $category{$_} ne 'none' && !exists $category{"foo.$_"} } @sources;
@channels = split /\n/, $node->safe_psql('postgres', join(";\n", map { "SELECT align.channel(align.parse_campaign('', 'https://foo.$_/bar?baz'))" } @hosts));
@wrong = grep { $channels[$_] ne $channel{ $category{ $hosts[$_] } } } 0 .. $#hosts;
is(join(' ', map { "$hosts[$_]:$channels[$_]" } @wrong), '', 'and so is a host below it, as a referrer');

# URLSearchParams: the tags of random queries, decoded.  They are in ASCII, since
# node mangles other characters that stand beside a "%" in one value.
SKIP:
{
	skip 'no node', 2 if system('node --version >/dev/null 2>&1') != 0;

	my @pieces = ('utm_source=', 'utm_medium=', 'utm_campaign=', 'utm_term=', 'utm_content=', 'UTM_Source=', 'utm%5Fcampaign=', 'utm_unknown=', 'page=', '&', '&', '&', '=', '?', '+', '%20', '%2B', '%26', '%3D', '%25',
		'%', '%4', '%zz', '%C3%A4', '%F0%9F%98%80', '%E2%82%AC', 'a', 'Spring', '2026', ' ', '~', '*', '-', '.', '_', '!', '(', ')', '/', ':', '|', '"', "'", '\\', '%C2%A0', '%0A', '%09', '%E4', '%C3', "%E2%82", '%ED%A0%80');
	srand(30);
	my @queries = map { join '', '?', map { $pieces[ rand @pieces ] } 1 .. 2 + rand 25 } 1 .. 4000;
	my $script = "$PostgreSQL::Test::Utils::tmp_check/params.js";
	my $input = "$PostgreSQL::Test::Utils::tmp_check/queries";

	append_to_file($script, <<'JS');
const blank = /^[\0- \u00a0\u200b\u3000\ufeff]+|[\0- \u00a0\u200b\u3000\ufeff]+$/g;
for (const line of require('fs').readFileSync(0, 'utf8').split('\n').slice(0, -1)) {
	const query = Buffer.from(line, 'hex').toString('utf8');
	const found = {};
	for (const [name, value] of new URLSearchParams(query)) {
		const key = name.toLowerCase();
		const text = value.replace(blank, '');
		if (text !== '' && !(key in found))
			found[key] = text;
	}
	const fold = s => s && s.replace(/[A-Z]/g, c => c.toLowerCase());
	console.log([fold(found.utm_source), fold(found.utm_medium), found.utm_campaign, found.utm_term, found.utm_content]
		.map(s => s === undefined ? '' : Buffer.from(s, 'utf8').toString('hex')).join(' '));
}
JS
	append_to_file($input, join '', map { unpack('H*', encode('UTF-8', $_)) . "\n" } @queries);
	my @expected = split /\n/, `node '$script' <'$input'`;
	is(scalar @expected, scalar @queries, 'node has read all queries');
	my $values = join ', ', map { "($_, decode('" . unpack('H*', encode('UTF-8', $queries[$_])) . "', 'hex'))" } 0 .. $#queries;
	$node->safe_psql('postgres', q{CREATE FUNCTION h(text) RETURNS text LANGUAGE sql RETURN encode(convert_to(coalesce($1, ''), 'UTF8'), 'hex')});
	my @ours = split /\n/, $node->safe_psql('postgres', <<SQL);
SELECT concat_ws(' ', h(align.campaign_source(c)), h(align.campaign_medium(c)), h(align.campaign_name(c)), h(align.campaign_term(c)), h(align.campaign_content(c)))
FROM (SELECT no, align.parse_campaign(convert_from(q, 'UTF8')) AS c FROM (VALUES $values) AS v (no, q) OFFSET 0) s
ORDER BY no;
SQL
	# Bytes that are no text become U+FFFD there, and stay as written here; without
	# tags the visit is direct.
	my $direct = join ' ', unpack('H*', '(direct)'), unpack('H*', '(none)'), '', '', '';
	my $compared = 0;
	my @different;
	foreach my $i (0 .. $#queries)
	{
		next if $expected[$i] =~ /efbfbd/;
		$compared++;
		my $wanted = $expected[$i] =~ /\S/ ? $expected[$i] : $direct;
		push @different, "$queries[$i]: $wanted: $ours[$i]" if $ours[$i] ne $wanted;
	}
	cmp_ok($compared, '>', 1500, "$compared queries compared");
	is(encode('UTF-8', join "\n", @different[ 0 .. ($#different < 9 ? $#different : 9) ]), '', 'decoded like URLSearchParams');
}

# Other encodings: an address is UTF-8 in escapes, and the text form is the same
# everywhere.
my $send = q{SELECT encode(align.campaign_send(align.parse_campaign('?utm_campaign=Gesch%C3%A4ft&utm_term=%E2%82%AC+%D0%96&utm_content=%E4' || '&utm_id=' || LETTER)), 'hex')};
my $utf8 = $node->safe_psql('postgres', $send =~ s/LETTER/U&'\\00E4'/r);
like(pack('H*', $utf8), qr/^\x01utm_campaign=Gesch%C3%A4ft&utm_term=%E2%82%AC\+%D0%96&utm_content=%25E4&utm_id=%C3%A4$/, 'UTF8: the stored value');
foreach my $encoding ('latin1', 'latin9', 'euc_jp')
{
	my $name = uc $encoding;
	# a letter of the database itself
	my $letter = $encoding eq 'euc_jp' ? q{convert_from('\xe38182', 'UTF8')} : q{convert_from('\xc3a4', 'UTF8')};
	my $escape = $encoding eq 'euc_jp' ? '%E3%81%82' : '%C3%A4';

	$node->safe_psql('postgres', "CREATE DATABASE $encoding ENCODING '$name' LOCALE 'C' TEMPLATE template0");
	$node->safe_psql($encoding, 'CREATE EXTENSION align');
	is(pack('H*', $node->safe_psql($encoding, $send =~ s/LETTER/$letter/r)), pack('H*', $utf8) =~ s/(utm_id=).*/$1$escape/r, "$name: the same stored value");
	is($node->safe_psql($encoding, q{SELECT align.campaign_term(align.parse_campaign('?utm_term=%E2%82%AC+%D0%96')) ~ '%D0%96'}), $encoding eq 'euc_jp' ? 'f' : 't',
		"$name: a character that it does not have stays escaped");
	is($node->safe_psql($encoding, q{SELECT octet_length(align.campaign_name(align.parse_campaign('?utm_campaign=%C3%A4')))}), $encoding eq 'euc_jp' ? 3 : 1,
		"$name: one that it has is decoded");
	is($node->safe_psql($encoding, q{SELECT align.parse_campaign(c::text) OPERATOR(align.=) c AND c::text::align.campaign OPERATOR(align.=) c FROM align.parse_campaign('?utm_campaign=Gesch%C3%A4ft&utm_term=%E2%82%AC+%D0%96&utm_content=%E4') AS c}), 't',
		"$name: the text form reads back");
	is($node->safe_psql($encoding, "SELECT ('utm_campaign=' || $letter)::align.campaign OPERATOR(align.=) 'utm_campaign=$escape'::align.campaign"), 't', "$name: the strict input reads letters of the database");
}

# Without an encoding: bytes that are no UTF-8 are written as escapes.
$node->safe_psql('postgres', "CREATE DATABASE ascii ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0");
$node->safe_psql('ascii', 'CREATE EXTENSION align');
is($node->safe_psql('ascii', "SET client_encoding = sql_ascii; SELECT align.parse_campaign('?utm_campaign=' || convert_from('\\x47e4', 'SQL_ASCII'))"), 'utm_campaign=G%25E4', 'SQL_ASCII: a byte that is no text');
is($node->safe_psql('ascii', "SET client_encoding = sql_ascii; SELECT align.parse_campaign(convert_from('\\x47e4', 'SQL_ASCII'))"), 'utm_source=g%25e4', 'SQL_ASCII: in a plain text, which is a source');
is($node->safe_psql('ascii', "SET client_encoding = sql_ascii; SELECT align.parse_campaign('?utm_campaign=' || convert_from('\\x47c3a4', 'SQL_ASCII'))"), 'utm_campaign=G%C3%A4', 'SQL_ASCII: a character');

$node->stop;
done_testing();
