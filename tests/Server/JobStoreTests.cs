using Microsoft.Data.Sqlite;
using Pelican.Server;
using Pelican.Tests.Support;
using Pelican.Transfer;

namespace Pelican.Tests.Server;

/// <summary>The job store on a real disk.</summary>
public sealed class JobStoreTests : IDisposable
{
    private static readonly DateTimeOffset Start = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    private readonly string _folder = Directory.CreateTempSubdirectory("pelican-store-").FullName;

    private string Database => Path.Combine(_folder, "jobs.db");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Test]
    public async Task A_created_job_is_found_again_after_the_store_was_closed()
    {
        NewJob job = Job(1, Start, transfers: 2) with { Options = """{"token":"/t"}""" };
        using (JobStore store = JobStore.Open(Database))
        {
            await store.CreateAsync(job);
        }

        using JobStore again = JobStore.Open(Database);
        JobRecord? found = await again.FindAsync(job.Id);

        await Assert.That(found!.Job).IsEqualTo(new JobRow { Seq = 1, Id = job.Id, State = JobState.Pending, CreatedAt = Start, Options = job.Options, Sequence = 1, TransfersTotal = 2 });
        await Assert.That(found.Transfers).IsEquivalentTo(job.Transfers);
        await Assert.That(again.Unfinished).IsEqualTo(1);
        await Assert.That(await again.FindAsync("no such job")).IsNull();
    }

    [Test]
    public async Task Many_creations_at_once_are_all_there()
    {
        using JobStore store = JobStore.Open(Database);

        await Parallel.ForAsync(0, 500, async (i, _) => await store.CreateAsync(Job(i, Start)));

        await Assert.That((await store.ListAsync(new JobFilter { Limit = 1 })).Total).IsEqualTo(500);
        await Assert.That(store.Unfinished).IsEqualTo(500);
    }

    [Test]
    public async Task A_change_that_fails_does_not_take_others_with_it()
    {
        using JobStore store = JobStore.Open(Database);
        NewJob twice = Job(0, Start);
        await store.CreateAsync(twice);

        Task<Creation>[] creations = [.. Enumerable.Range(1, 50).Select(i => store.CreateAsync(i == 25 ? twice : Job(i, Start)))];
        await Task.WhenAll(creations.Where((_, i) => i != 24));
        PelicanException refused = await Expect.FailureAsync(creations[24]);

        await Assert.That(refused.Row).IsEqualTo(Errors.Internal);
        await Assert.That((await store.ListAsync(new JobFilter { Limit = 1 })).Total).IsEqualTo(50);
    }

    [Test]
    public async Task A_key_creates_one_job()
    {
        using JobStore store = JobStore.Open(Database);
        NewJob job = Job(1, Start) with { Key = "k", Digest = [1, 2] };

        Creation first = await store.CreateAsync(job);
        Creation second = await store.CreateAsync(Job(2, Start) with { Key = "k", Digest = [1, 2] });
        Creation other = await store.CreateAsync(Job(3, Start) with { Key = "k", Digest = [3] });

        await Assert.That((first.Created, first.SameRequest)).IsEqualTo((true, true));
        await Assert.That((second.Created, second.SameRequest, second.Job.Job.Id)).IsEqualTo((false, true, job.Id));
        await Assert.That((other.Created, other.SameRequest)).IsEqualTo((false, false));
        await Assert.That((await store.ListAsync(new JobFilter { Limit = 9 })).Total).IsEqualTo(1);
    }

    [Test]
    public async Task Jobs_run_in_the_order_of_submission_and_interrupted_ones_first()
    {
        using (JobStore store = JobStore.Open(Database))
        {
            for (int i = 0; i < 3; i++)
            {
                // The clock goes back: that changes nothing.
                await store.CreateAsync(Job(i, Start.AddSeconds(-i)));
            }

            RunningJob? first = await store.TakeAsync([], Start);
            RunningJob? second = await store.TakeAsync([1], Start);
            await Assert.That((first!.Job.Seq, second!.Job.Seq)).IsEqualTo((1, 2));
            await Assert.That((first.Job.State, first.Current!.State)).IsEqualTo((JobState.Running, JobState.Running));
        }

        using JobStore again = JobStore.Open(Database);
        await Assert.That((await again.TakeAsync([], Start))!.Job.Seq).IsEqualTo(1);
        await Assert.That((await again.TakeAsync([1], Start))!.Job.Seq).IsEqualTo(2);
        await Assert.That((await again.TakeAsync([1, 2], Start))!.Job.Seq).IsEqualTo(3);
        await Assert.That(await again.TakeAsync([1, 2, 3], Start)).IsNull();
    }

    [Test]
    public async Task A_job_whose_transfers_partly_fail_says_how_many_and_why()
    {
        using JobStore store = JobStore.Open(Database);
        NewJob job = Job(0, Start, transfers: 3);
        await store.CreateAsync(job);
        await store.TakeAsync([], Start);

        RunningJob after1 = await store.EndTransferAsync(1, 0, new TransferEnd(JobState.Completed, Start, 10, 10), cancelRest: false);
        await store.EndTransferAsync(1, 1, new TransferEnd(JobState.Failed, Start, 3, 20, "no"), cancelRest: false);
        RunningJob end = await store.EndTransferAsync(1, 2, new TransferEnd(JobState.Failed, Start, 0, 0, "neither"), cancelRest: false);

        await Assert.That(after1.Current!.Position).IsEqualTo(1);
        await Assert.That(end.Current).IsNull();
        await Assert.That((end.Job.State, end.Job.Error)).IsEqualTo((JobState.Failed, "2 of 3 transfers failed; the first: no"));
        await Assert.That((end.Job.TransfersCompleted, end.Job.TransfersFailed, end.Job.Bytes, end.Job.TotalBytes)).IsEqualTo((1, 2, 13, 30));
        await Assert.That(store.Unfinished).IsEqualTo(0);
    }

    [Test]
    public async Task What_is_final_stays_as_it_is()
    {
        using JobStore store = JobStore.Open(Database);
        NewJob job = Job(0, Start);
        await store.CreateAsync(job);
        await store.TakeAsync([], Start);
        RunningJob end = await store.EndTransferAsync(1, 0, new TransferEnd(JobState.Failed, Start, Error: "no"), cancelRest: false);

        JobRecord? cancelled = await store.CancelAsync(job.Id, Start.AddDays(1));

        await Assert.That(cancelled!.Job).IsEqualTo(end.Job);
    }

    [Test]
    public async Task A_cancelled_job_has_cancelled_transfers_and_each_change_has_a_number_of_its_own()
    {
        using JobStore store = JobStore.Open(Database);
        NewJob job = Job(0, Start, transfers: 3);
        await store.CreateAsync(job);
        await store.TakeAsync([], Start);
        await store.EndTransferAsync(1, 0, new TransferEnd(JobState.Completed, Start), cancelRest: false);

        JobRecord cancelled = (await store.CancelAsync(job.Id, Start))!;

        await Assert.That(cancelled.Transfers.Select(t => t.State)).IsEquivalentTo([JobState.Completed, JobState.Cancelled, JobState.Cancelled]);
        long?[] numbers = [1, cancelled.Job.StartedSequence, .. cancelled.Transfers.SelectMany(t => new[] { t.StartedSequence, t.CompletedSequence }).Where(n => n is not null), cancelled.Job.CompletedSequence];
        await Assert.That(numbers.Distinct().Count()).IsEqualTo(numbers.Length);
        await Assert.That(cancelled.Job.CompletedSequence).IsEqualTo(cancelled.Job.Sequence);
        await Assert.That(numbers.Max()).IsEqualTo(cancelled.Job.Sequence);
    }

    [Test]
    public async Task Pages_show_every_job_once_newest_first()
    {
        using JobStore store = JobStore.Open(Database);
        for (int i = 0; i < 10; i++)
        {
            await store.CreateAsync(Job(i, Start.AddSeconds(i / 2)));
        }

        List<JobRow> byOffset = [];
        List<JobRow> byCursor = [];
        JobCursor? cursor = null;
        for (int i = 0; i < 4; i++)
        {
            byOffset.AddRange((await store.ListAsync(new JobFilter { Limit = 3, Offset = 3 * i })).Jobs);
            JobPage page = await store.ListAsync(new JobFilter { Limit = 3, After = cursor });
            byCursor.AddRange(page.Jobs);
            cursor = new JobCursor(page.Jobs[^1].CreatedAt, page.Jobs[^1].Id);
            await Assert.That(page.More).IsEqualTo(i < 3);
            await Assert.That(page.Total).IsEqualTo(10);
        }

        await Assert.That(byOffset.Select(j => j.Id)).IsEquivalentTo(byOffset.OrderByDescending(j => j.CreatedAt).ThenByDescending(j => j.Id, StringComparer.Ordinal).Select(j => j.Id), TUnit.Assertions.Enums.CollectionOrdering.Matching);
        await Assert.That(byCursor.Select(j => j.Id)).IsEquivalentTo(byOffset.Select(j => j.Id), TUnit.Assertions.Enums.CollectionOrdering.Matching);
        await Assert.That(byOffset.Select(j => j.Id).Distinct().Count()).IsEqualTo(10);
    }

    [Test]
    public async Task Jobs_are_filtered_by_states_and_time()
    {
        using JobStore store = JobStore.Open(Database);
        for (int i = 0; i < 6; i++)
        {
            await store.CreateAsync(Job(i, Start.AddSeconds(i)));
        }

        await store.TakeAsync([], Start);
        await store.EndTransferAsync(1, 0, new TransferEnd(JobState.Completed, Start), cancelRest: false);
        await store.TakeAsync([], Start);

        async Task<(int, long)> Count(params JobState[] states)
        {
            JobPage page = await store.ListAsync(new JobFilter { States = states, Limit = 100 });
            return (page.Jobs.Count, page.Total);
        }

        await Assert.That(await Count(JobState.Pending)).IsEqualTo((4, 4));
        await Assert.That(await Count(JobState.Running, JobState.Completed, JobState.Running)).IsEqualTo((2, 2));
        await Assert.That(await Count()).IsEqualTo((0, 0));
        JobPage some = await store.ListAsync(new JobFilter { From = Start.AddSeconds(1), To = Start.AddSeconds(3), States = [JobState.Pending, JobState.Running], Limit = 2 });
        await Assert.That((some.Jobs.Count, some.Total, some.More)).IsEqualTo((2, 3, true));
        JobPage past = await store.HistoryAsync(new JobFilter { Limit = 10 });
        await Assert.That((past.Jobs.Count, past.Total)).IsEqualTo((1, 1));
    }

    [Test]
    public async Task Only_what_is_final_is_removed()
    {
        using JobStore store = JobStore.Open(Database);
        await store.CreateAsync(Job(0, Start));
        await store.CreateAsync(Job(1, Start));
        await store.TakeAsync([], Start);
        await store.EndTransferAsync(1, 0, new TransferEnd(JobState.Completed, Start), cancelRest: false);

        await Assert.That(await store.RemoveAsync(Id(1))).IsEqualTo(JobState.Pending);
        await Assert.That(await store.PruneAsync(Start, 10)).IsEqualTo(0);
        await Assert.That(await store.PruneAsync(Start.AddSeconds(1), 10)).IsEqualTo(1);
        await Assert.That(await store.RemoveAsync(Id(0))).IsNull();
        await Assert.That((await store.ListAsync(new JobFilter { Limit = 10 })).Total).IsEqualTo(1);
    }

    [Test]
    public async Task Progress_is_summed_over_the_transfers_of_a_job()
    {
        using JobStore store = JobStore.Open(Database);
        await store.CreateAsync(Job(0, Start, transfers: 2));
        await store.TakeAsync([], Start);
        await store.SaveProgressAsync(1, 0, 5, 100);
        await store.SaveProgressAsync(1, 0, 50, 100);
        await store.EndTransferAsync(1, 0, new TransferEnd(JobState.Completed, Start, 100, 100), cancelRest: false);
        await store.SaveProgressAsync(1, 1, 1, 10);

        JobRecord found = (await store.FindAsync(Id(0)))!;

        await Assert.That((found.Job.Bytes, found.Job.TotalBytes)).IsEqualTo((101, 110));
        await Assert.That(found.Transfers[1].Bytes).IsEqualTo(1);
    }

    [Test]
    public async Task A_database_in_use_is_refused()
    {
        using JobStore store = JobStore.Open(Database);

        PelicanException error = Refusal();

        await Assert.That(error.Message).Contains("in use by another process");
    }

    [Test]
    public async Task A_later_version_is_refused_and_left_alone()
    {
        JobStore.Open(Database).Dispose();
        using (SqliteConnection connection = new($"Data Source={Database};Pooling=False"))
        {
            connection.Open();
            using SqliteCommand command = connection.CreateCommand();
            command.CommandText = "PRAGMA user_version=99";
            command.ExecuteNonQuery();
        }

        byte[] before = await File.ReadAllBytesAsync(Database);
        PelicanException error = Refusal();

        await Assert.That(error.Message).Contains("has version 99");
        await Assert.That(Bytes.AreIn(Database, before)).IsTrue();
    }

    [Test]
    [Arguments("garbage")]
    [Arguments("overwritten")]
    [Arguments("another program's")]
    public async Task What_is_no_sound_job_database_is_refused_and_left_alone(string kind)
    {
        switch (kind)
        {
            case "garbage":
                await File.WriteAllBytesAsync(Database, Bytes.Random(8192));
                break;
            case "overwritten":
                using (JobStore store = JobStore.Open(Database))
                {
                    for (int i = 0; i < 200; i++)
                    {
                        await store.CreateAsync(Job(i, Start));
                    }
                }

                await using (FileStream file = new(Database, FileMode.Open))
                {
                    file.Position = file.Length / 2;
                    await file.WriteAsync(Bytes.Random(8192));
                }

                break;
            default:
                using (SqliteConnection connection = new($"Data Source={Database};Pooling=False"))
                {
                    connection.Open();
                    using SqliteCommand command = connection.CreateCommand();
                    command.CommandText = "CREATE TABLE bookmarks(url)";
                    command.ExecuteNonQuery();
                }

                break;
        }

        byte[] before = await File.ReadAllBytesAsync(Database);
        PelicanException error = Refusal();

        await Assert.That(error.Message).Contains(kind == "another program's" ? "database of another program" : "is damaged");
        await Assert.That(Bytes.AreIn(Database, before)).IsTrue();
    }

    [Test]
    public async Task A_directory_that_is_not_there_is_named()
    {
        string database = Path.Combine(_folder, "none", "jobs.db");

        PelicanException error = await Expect.FailureAsync(Task.Run(() => JobStore.Open(database).Dispose()));

        await Assert.That(error.Message).Contains(database);
    }

    [Test]
    public async Task Only_the_owner_can_read_the_database()
    {
        using JobStore store = JobStore.Open(Database);
        await store.CreateAsync(Job(0, Start));

        await Assert.That(Directory.GetFiles(_folder).Select(File.GetUnixFileMode).Distinct())
            .IsEquivalentTo([UnixFileMode.UserRead | UnixFileMode.UserWrite]);
    }

    [Test]
    public async Task A_database_of_an_earlier_version_is_brought_up_step_by_step()
    {
        JobStore.Open(Database).Dispose();
        using JobStoreFile file = JobStoreFile.Open(Database, LocalMedium.TypeOf);

        JobStoreSchema.Upgrade(file, [.. JobStoreSchema.Versions, "CREATE TABLE two(x)", "INSERT INTO two VALUES (3)"]);

        await Assert.That(file.Number("SELECT x FROM two")).IsEqualTo(3);
        await Assert.That(file.Number("PRAGMA user_version")).IsEqualTo(JobStoreSchema.Versions.Count + 2);
    }

    [Test]
    public async Task The_type_of_a_file_system_is_what_the_system_says()
    {
        await Assert.That(LocalMedium.TypeOf("/proc/self/status")).IsEqualTo(0x9FA0u);
        await Assert.That(LocalMedium.TypeOf(Path.Combine(_folder, "none"))).IsNull();
        await Assert.That(LocalMedium.IsRemote(null)).IsFalse();
    }

    [Test]
    [Arguments(0x6969u, "delete,truncate")]
    [Arguments(0x0BD00BD0u, "delete,truncate")]
    [Arguments(0xFF534D42u, "delete,truncate")]
    [Arguments(0xEF53u, "wal")]
    public async Task There_is_no_write_ahead_log_on_a_file_system_of_several_hosts(uint type, string journals)
    {
        // As if the database had been moved there.
        JobStoreFile.Open(Database, _ => 0xEF53).Dispose();

        using JobStoreFile file = JobStoreFile.Open(Database, _ => type);
        string journal = file.Query("PRAGMA journal_mode", row => row.GetString(0))[0];
        string locking = file.Query("PRAGMA locking_mode", row => row.GetString(0))[0];

        await Assert.That(journals.Split(',')).Contains(journal);
        await Assert.That(locking).IsEqualTo("exclusive");
        await Assert.That(File.Exists(Database + "-wal")).IsEqualTo(journal == "wal");
        await Assert.That(File.Exists(Database + "-shm")).IsFalse();
        await Assert.That(Refusal().Message).Contains("in use by another process");
    }

    [Test]
    public async Task A_log_without_its_database_is_refused_and_kept()
    {
        using (JobStore store = JobStore.Open(Database))
        {
            await store.CreateAsync(Job(0, Start));
            File.Copy(Database + "-wal", Database + ".kept");
        }

        File.Delete(Database);
        File.Move(Database + ".kept", Database + "-wal");

        await Assert.That(Refusal().Message).Contains("is damaged");
        await Assert.That(new FileInfo(Database + "-wal").Length).IsGreaterThan(0);
    }

    [Test]
    public async Task When_the_clock_is_set_back_the_list_keeps_its_order_and_nothing_ends_before_it_began()
    {
        using JobStore store = JobStore.Open(Database);
        DateTimeOffset back = Start.AddYears(-20);
        await store.CreateAsync(Job(0, Start, transfers: 2));
        await store.TakeAsync([], back);
        await store.EndTransferAsync(1, 0, new TransferEnd(JobState.Completed, back), cancelRest: false);
        await store.EndTransferAsync(1, 1, new TransferEnd(JobState.Completed, back), cancelRest: false);
        await store.CreateAsync(Job(1, Start));
        await store.CancelAsync(Id(1), back);
        await store.CreateAsync(Job(2, back));

        JobPage first = await store.ListAsync(new JobFilter { Limit = 2 });
        JobPage second = await store.ListAsync(new JobFilter { Limit = 2, After = new JobCursor(first.Jobs[1].CreatedAt, first.Jobs[1].Id) });
        JobPage ended = await store.ListAsync(new JobFilter { Limit = 9, States = [JobState.Completed, JobState.Cancelled] });

        await Assert.That(first.Jobs.Concat(second.Jobs).Select(job => job.Id)).IsEquivalentTo([Id(2), Id(1), Id(0)], TUnit.Assertions.Enums.CollectionOrdering.Matching);
        await Assert.That(ended.Jobs.Select(job => job.Id)).IsEquivalentTo([Id(1), Id(0)], TUnit.Assertions.Enums.CollectionOrdering.Matching);
        foreach (JobRow job in ended.Jobs)
        {
            await Assert.That(job.CompletedAt >= (job.StartedAt ?? job.CreatedAt) && (job.StartedAt ?? job.CreatedAt) >= job.CreatedAt).IsTrue();
            await Assert.That((await store.FindAsync(job.Id))!.Transfers.All(t => t.CompletedAt >= (t.StartedAt ?? job.CreatedAt))).IsTrue();
        }
    }

    [Test]
    public async Task Jobs_that_ended_while_the_clock_was_wrong_are_not_taken_for_old_ones()
    {
        using JobStore store = JobStore.Open(Database);
        foreach ((int number, DateTimeOffset at) in new[] { (0, Start.AddDays(-99)), (1, Start), (2, DateTimeOffset.UnixEpoch) })
        {
            await store.CreateAsync(Job(number, at));
            await store.CancelAsync(Id(number), at);
        }

        await Assert.That(await store.PruneAsync(Start.AddDays(-30), 10)).IsEqualTo(1);
        await Assert.That((await store.ListAsync(new JobFilter { Limit = 9 })).Jobs.Select(job => job.Id)).IsEquivalentTo([Id(2), Id(1)]);
    }

    [Test]
    public async Task A_page_after_a_job_that_was_removed_goes_on_where_it_was()
    {
        using JobStore store = JobStore.Open(Database);
        for (int i = 0; i < 4; i++)
        {
            await store.CreateAsync(Job(i, Start.AddSeconds(i)));
        }

        await store.CancelAsync(Id(2), Start);
        await store.RemoveAsync(Id(2));
        JobPage page = await store.ListAsync(new JobFilter { Limit = 9, After = new JobCursor(Start.AddSeconds(2), Id(2)) });

        await Assert.That(page.Jobs.Select(job => job.Id)).IsEquivalentTo([Id(1), Id(0)], TUnit.Assertions.Enums.CollectionOrdering.Matching);
    }

    private PelicanException Refusal()
    {
        try
        {
            JobStore.Open(Database).Dispose();
        }
        catch (PelicanException e)
        {
            return e;
        }

        throw new InvalidOperationException("It was opened.");
    }

    private static string Id(int number) => $"job-{number:000}";

    private static NewJob Job(int number, DateTimeOffset at, int transfers = 1) => new(Id(number), at, null,
    [
        .. Enumerable.Range(0, transfers).Select(i => new TransferRow
        {
            Position = i, Id = $"transfer-{number}-{i}", Operation = "get", Source = "osdf:///a", Destination = "/tmp/a",
        }),
    ]);
}
