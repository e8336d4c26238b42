# RealData.pm   what the tests on real data share: finding the files, loading
# them as they are, and comparing an answer with plain SQL.
package RealData;

use strict;
use warnings;

use Cwd qw(abs_path);
use Exporter 'import';
use File::Basename qw(dirname);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

our @EXPORT = qw(shared_folder start_node load_csv load_olist load_helpdesk is_same is_value);

# The folder with the data, or skip: it is beside the checkout, never in it.
sub shared_folder
{
	my ($name) = @_;
	my $shared = $ENV{ALIGN_SHARED} // dirname(abs_path(__FILE__)) . '/../../../shared';
	my $folder = "$shared/data/$name";

	plan skip_all => "no $name in data/ (set ALIGN_SHARED to the folder that holds data/)"
	  unless -d $folder;
	return abs_path($folder);
}

my $node;

sub start_node
{
	my ($name) = @_;

	$node = PostgreSQL::Test::Cluster->new($name);
	$node->init;
	# whoever reads the results must not depend on where this runs
	# and compiling its queries would take longer than running them
	$node->append_conf('postgresql.conf', "timezone = 'UTC'\nfsync = off\njit = off\n");
	$node->start;
	$node->safe_psql('postgres', 'CREATE EXTENSION align');
	return $node;
}

# COPY through the client: the server may not read the folder.
sub load_csv
{
	my ($columns, $file) = @_;

	$node->safe_psql('postgres', "\\copy $columns from '$file' with (format csv, header)");
	return;
}

# Olist's leads and deals; what the data is like: see real_olist.pl.
sub load_olist
{
	my ($folder) = @_;

	$node->safe_psql('postgres', q{
		CREATE TABLE mql (mql_id text PRIMARY KEY, first_contact_date date, landing_page_id text, origin text);
		CREATE TABLE deal (mql_id text PRIMARY KEY, seller_id text, sdr_id text, sr_id text, won_date timestamp,
			business_segment text, lead_type text, lead_behaviour_profile text, has_company text, has_gtin text,
			average_stock text, business_type text, declared_product_catalog_size float8, declared_monthly_revenue numeric);
	});
	load_csv('mql', "$folder/olist_marketing_qualified_leads_dataset.csv");
	load_csv('deal', "$folder/olist_closed_deals_dataset.csv");
	return;
}

# The events of the Helpdesk log in the order of the file; see real_helpdesk.pl.
sub load_helpdesk
{
	my ($folder) = @_;

	$node->safe_psql('postgres', q{
		CREATE TABLE event (no bigint GENERATED ALWAYS AS IDENTITY, concept_name text, lifecycle text, org_resource text, stamp text,
			activity text, resource text, ticket text, variant text, variant_index int, creator text)});
	load_csv('event (concept_name, lifecycle, org_resource, stamp, activity, resource, ticket, variant, variant_index, creator)', "$folder/Helpdesk.csv");
	return;
}

# Two queries give the same rows, each as often, and at least one.
sub is_same
{
	my ($ours, $plain, $what) = @_;
	my ($stdout, $stderr);
	my $status = $node->psql(
		'postgres', qq{
		CREATE TEMP TABLE ours AS $ours;
		CREATE TEMP TABLE plain AS $plain;
		SELECT count(*) FROM ours;
		SELECT * FROM ((SELECT 'ours', * FROM ours EXCEPT ALL SELECT 'ours', * FROM plain)
			UNION ALL (SELECT 'plain', * FROM plain EXCEPT ALL SELECT 'plain', * FROM ours)) d ORDER BY 2, 1 LIMIT 20;},
		stdout => \$stdout, stderr => \$stderr);
	my ($rows, @differences) = split /\n/, $stdout // '';

	if (!ok($status == 0 && ($rows // 0) > 0 && !@differences, $what . (defined $rows ? " ($rows rows)" : '')))
	{
		diag($stderr) if $stderr;
		diag('no rows') if defined $rows && $rows eq '0';
		diag($_) foreach @differences;
	}
	return;
}

# A query gives one value.
sub is_value
{
	my ($query, $expected, $what) = @_;

	my ($status, $stdout, $stderr) = $node->psql('postgres', $query);

	is($stdout, $expected, $what);
	diag($stderr) if $stderr;
	return;
}

1;
