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

our @EXPORT = qw(shared_folder start_node load_csv is_same is_value);

# The folder with the data, or skip: it is beside the checkout, never in it.
sub shared_folder
{
	my ($name) = @_;
	my $shared = $ENV{ALIGN_SHARED} // dirname(abs_path(__FILE__)) . '/../../../shared';
	my $folder = "$shared/data/$name";

	plan skip_all => "no data in $folder (set ALIGN_SHARED to the folder that holds data/)"
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
	$node->append_conf('postgresql.conf', "timezone = 'UTC'\nfsync = off\n");
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
