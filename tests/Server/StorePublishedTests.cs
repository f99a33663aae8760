using System.Diagnostics;
using System.Net;
using System.Text.Json;
using Microsoft.Data.Sqlite;
using Pelican.Federation;
using Pelican.Tests.Support;

namespace Pelican.Tests.Server;

/// <summary>The published executable and its database when things go wrong with the disk, the file, or its power.</summary>
public sealed class StorePublishedTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("pelican-store-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Test]
    public async Task A_full_disk_acknowledges_nothing_and_the_server_works_again_when_there_is_space(CancellationToken cancellationToken)
    {
        await using SmallDisk disk = await SmallDisk.MountAsync(Path.Combine(_folder, "disk"));
        await using TestFederation federation = await TestFederation.StartAsync();
        federation.Origin.Store("/public/a", Bytes.Random(1_000));
        await using PublishedDaemon daemon = await PublishedDaemon.StartAsync(federation, "--database", disk.Path + "/jobs.db", "--log-file", Path.Combine(_folder, "log"));
        List<string> acknowledged = [await CreateAsync(0)];

        disk.Fill();
        List<(HttpStatusCode Status, JsonElement Body)> refused = [];
        for (int i = 1; refused.Count < 3; i++)
        {
            (HttpStatusCode status, JsonElement body) = await SubmitAsync(i);
            if (status == HttpStatusCode.Created)
            {
                acknowledged.Add(body.GetProperty("job_id").GetString()!);
            }
            else
            {
                refused.Add((status, body));
            }
        }

        (HttpStatusCode listing, _) = await daemon.SendAsync("GET", "/jobs", null, cancellationToken);
        disk.MakeRoom();
        acknowledged.Add(await CreateAsync(1000));
        daemon.Kill();
        await daemon.StartAgainAsync();
        (_, JsonElement list) = await daemon.SendAsync("GET", "/jobs?limit=100", null, cancellationToken);

        await Assert.That(refused.Select(r => (r.Status, r.Body.GetProperty("code").GetString()!, r.Body.GetProperty("retryable").GetBoolean())).Distinct())
            .IsEquivalentTo([(HttpStatusCode.InternalServerError, "INTERNAL_ERROR", true)]);
        await Assert.That(refused[0].Body.GetProperty("error").GetString()!).Contains("no space is left");
        await Assert.That(listing).IsEqualTo(HttpStatusCode.OK);
        await Assert.That(list.GetProperty("jobs").EnumerateArray().Select(job => job.GetProperty("job_id").GetString()!).Reverse())
            .IsEquivalentTo(acknowledged, TUnit.Assertions.Enums.CollectionOrdering.Matching);
        foreach (string id in acknowledged)
        {
            (_, JsonElement job) = await daemon.SendAsync("GET", $"/jobs/{id}?wait=60s", null, cancellationToken);
            await Assert.That(job.GetProperty("status").GetString()).IsEqualTo("completed");
        }

        Task<(HttpStatusCode Status, JsonElement Body)> SubmitAsync(int number) => daemon.SendAsync("POST", "/jobs",
            $$"""{"transfers":[{{ApiServer.Transfer("get", federation.UrlOf("/public/a"), Path.Combine(_folder, $"{number}"))}}]}""", cancellationToken);

        async Task<string> CreateAsync(int number)
        {
            (HttpStatusCode status, JsonElement body) = await SubmitAsync(number);
            await Assert.That(status).IsEqualTo(HttpStatusCode.Created).Because(body.ToString());
            return body.GetProperty("job_id").GetString()!;
        }
    }

    [Test]
    [Arguments("locked", "is in use by another process")]
    [Arguments("damaged", "is damaged")]
    [Arguments("newer", "has version 99")]
    [Arguments("foreign", "is a database of another program")]
    public async Task A_database_that_it_cannot_have_is_refused_and_left_as_it_is(string kind, string said)
    {
        string database = Path.Combine(_folder, "jobs.db");
        await using (PublishedDaemon first = await PublishedDaemon.StartAsync(null, "--database", database))
        {
            await Assert.That(await first.StopAsync()).IsEqualTo(0);
        }

        SQLitePCL.raw.SetProvider(new SQLitePCL.SQLite3Provider_e_sqlite3());
        using SqliteConnection other = new($"Data Source={database};Pooling=False");
        other.Open();
        using SqliteCommand command = other.CreateCommand();
        command.CommandText = kind switch
        {
            "locked" => "PRAGMA locking_mode=EXCLUSIVE; BEGIN EXCLUSIVE",
            "newer" => "PRAGMA user_version=99; PRAGMA wal_checkpoint(TRUNCATE)",
            "foreign" => "PRAGMA application_id=7; PRAGMA wal_checkpoint(TRUNCATE)",
            _ => "SELECT 1",
        };
        command.ExecuteNonQuery();
        if (kind != "locked")
        {
            other.Close();
        }

        if (kind == "damaged")
        {
            await using FileStream file = new(database, FileMode.Open) { Position = 4096 };
            await file.WriteAsync(Bytes.Random(16_384));
        }

        string before = await DigestAsync(database);
        ProgramRun foreground = await PublishedExecutable.Find().RunAsync(
            ["client-api", "serve", "--foreground", "--database", database], new Dictionary<string, string> { ["HOME"] = _folder });
        ProgramRun detached = await PublishedExecutable.Find().RunAsync(
            ["client-api", "serve", "--database", database], new Dictionary<string, string> { ["HOME"] = _folder });

        await Assert.That(foreground.ExitStatus).IsNotEqualTo(0);
        await Assert.That(foreground.Error).Contains(said);
        await Assert.That(detached.ExitStatus).IsNotEqualTo(0);
        await Assert.That(await DigestAsync(database)).IsEqualTo(before);
    }

    [Test]
    public async Task What_a_hundred_clients_submit_at_once_is_there_after_kill_9_and_their_keys_too(CancellationToken cancellationToken)
    {
        const int clients = 100, each = 20;
        await using PublishedDaemon daemon = await PublishedDaemon.StartAsync(null, "--max-jobs", "1");
        string[] ids = new string[clients * each];
        long start = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, clients).Select(async client =>
        {
            for (int i = client * each; i < (client + 1) * each; i++)
            {
                ids[i] = await SubmitAsync(i);
            }
        }));
        TimeSpan elapsed = Stopwatch.GetElapsedTime(start);
        daemon.Kill();

        await daemon.StartAgainAsync();
        (_, JsonElement list) = await daemon.SendAsync("GET", "/jobs?limit=1", null, cancellationToken);
        List<string> listed = [];
        for (int offset = 0; offset < ids.Length; offset += 100)
        {
            (_, JsonElement page) = await daemon.SendAsync("GET", $"/jobs?limit=100&offset={offset}", null, cancellationToken);
            listed.AddRange(page.GetProperty("jobs").EnumerateArray().Select(job => job.GetProperty("job_id").GetString()!));
        }

        Console.WriteLine(FormattableString.Invariant($"{ids.Length / elapsed.TotalSeconds:0} submissions/s of {clients} clients"));
        await Assert.That(list.GetProperty("total").GetInt32()).IsEqualTo(ids.Length);
        await Assert.That(listed.Order()).IsEquivalentTo(ids.Order());
        foreach (int i in (int[])[0, 17, ids.Length - 1])
        {
            await Assert.That(await SubmitAsync(i)).IsEqualTo(ids[i]);
        }

        async Task<string> SubmitAsync(int number)
        {
            (HttpStatusCode status, JsonElement job) = await daemon.SendAsync("POST", "/jobs",
                $$"""{"transfers":[{"operation":"get","source":"pelican://localhost:1/a/{{number}}","destination":"{{_folder}}/{{number}}"}]}""", cancellationToken, $"key-{number}");
            await Assert.That(status).IsEqualTo(HttpStatusCode.Created);
            return job.GetProperty("job_id").GetString()!;
        }
    }

    // By another process: a file that this one closes loses the locks that this one has on it.
    private static async Task<string> DigestAsync(string file) => (await PublishedExecutable.RunAsync("sha256sum", [file])).Output;

    /// <summary>A file system with room for little; only root can make one.</summary>
    private sealed class SmallDisk : IAsyncDisposable
    {
        private const int Block = 4096;

        private SmallDisk(string path) => Path = path;

        public string Path { get; }

        private string Filler => Path + "/filler";

        public static async Task<SmallDisk> MountAsync(string path)
        {
            Directory.CreateDirectory(path);
            ProgramRun mount = await PublishedExecutable.RunAsync("mount", ["-t", "tmpfs", "-o", "size=512k", "tmpfs", path]);
            Skip.Unless(mount.ExitStatus == 0, $"no file system can be mounted here: {mount.Error}");
            return new SmallDisk(path);
        }

        public void Fill()
        {
            using FileStream filler = new(Filler, new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, BufferSize = 0 });
            try
            {
                while (true)
                {
                    filler.Write(new byte[Block]);
                }
            }
            catch (IOException)
            {
                // Full.
            }
        }

        public void MakeRoom() => File.Delete(Filler);

        public async ValueTask DisposeAsync() => await PublishedExecutable.RunAsync("umount", ["-l", Path]);
    }
}
