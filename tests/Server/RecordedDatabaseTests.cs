using System.Net;
using System.Text.Json;
using Microsoft.Data.Sqlite;
using Pelican.Federation;
using Pelican.Tests.Support;

namespace Pelican.Tests.Server;

/// <summary>
/// Databases that were written by earlier versions, each by a daemon that was killed at work (<c>tests/Server/recorded</c>). With
/// <c>PELICAN_RECORD</c> the executable writes one of its own version to that path instead.
/// </summary>
public sealed class RecordedDatabaseTests
{
    private const string RecordedFolder = "/recorded/folder";
    private const string RecordedHost = "recorded.example";

    private static readonly byte[] Small = Bytes.Random(1_000);
    private static readonly byte[] Large = Bytes.Random(3_000_000);
    private static readonly DateTimeOffset Modified = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    public static IEnumerable<string> Recorded() => Directory.GetFiles(Path.Combine(AppContext.BaseDirectory, "Server", "recorded"), "*.db").Order();

    [Test]
    [MethodDataSource(nameof(Recorded))]
    public async Task Its_jobs_go_on_where_they_were(string recorded, CancellationToken cancellationToken)
    {
        await using ApiServer server = await ApiServer.StartAsync();
        await server.StopAsync();
        File.Delete(server.Database);
        File.Copy(recorded, server.Database);
        Prepare(server.Federation, server.Folder);
        Rename(server.Database, (RecordedFolder, server.Folder), (RecordedHost, server.Federation.DiscoveryHost));
        // What the killed daemon had moved.
        server.Write("tree/a", Small);
        server.Write("tree/b", Small);
        server.Federation.Origin.Store("/demo/up/a", Small, Modified);
        server.Federation.Origin.Store("/demo/up/b", Small, Modified);
        server.Federation.Origin.Store("/demo/up/c", Small);

        await server.StartAgainAsync();
        JsonElement list = (await server.SendAsync("GET", "/jobs?limit=100", null, cancellationToken)).Body;
        List<JsonElement> jobs = [];
        foreach (JsonElement item in list.GetProperty("jobs").EnumerateArray().Reverse())
        {
            jobs.Add(await server.EndAsync(item.GetProperty("job_id").GetString()!, cancellationToken));
        }

        await Assert.That(jobs.Select(job => job.GetProperty("status").GetString()!)).IsEquivalentTo(
            ["completed", "failed", "cancelled", "completed", "completed", "completed", "completed"], TUnit.Assertions.Enums.CollectionOrdering.Matching);
        await Assert.That(jobs[1].GetProperty("error").GetString()!).StartsWith("1 of 1 transfers failed");
        await Assert.That(jobs.Where(job => job.GetProperty("status").GetString() == "completed").Select(job => job.GetProperty("progress"))
            .All(p => p.GetProperty("bytes_transferred").GetInt64() == p.GetProperty("total_bytes").GetInt64())).IsTrue();
        await Assert.That(Bytes.AreIn(server.File("half"), Large) && Bytes.AreIn(server.File("tree/sub/c"), Large) && Bytes.AreIn(server.File("waiting"), Small)).IsTrue();
        await Assert.That(Bytes.AreIn(server.Federation.Origin.FileOf("/demo/up/c"), Large)).IsTrue();
        // What was done is not done again: the one request is that of the job that waited.
        await Assert.That(server.Federation.Cache.Requests.Count(r => r.Is("GET", "/public/done") || r.Is("GET", "/public/tree/a") || r.Is("GET", "/public/tree/b"))).IsEqualTo(1);
        await Assert.That(server.Federation.Origin.Requests.Count(r => r.Method == "PUT" && r.Path != "/demo/up/c")).IsEqualTo(0);
        (HttpStatusCode used, _, _) = await server.SendAsync("POST", "/jobs", Job(server.Get("/public/half", "other")), cancellationToken, ("Idempotency-Key", "k"));
        await Assert.That(used).IsEqualTo(HttpStatusCode.UnprocessableEntity);
    }

    [Test]
    public async Task Record(CancellationToken cancellationToken)
    {
        string? target = Environment.GetEnvironmentVariable("PELICAN_RECORD");
        Skip.When(string.IsNullOrEmpty(target), "PELICAN_RECORD is not set");
        await using TestFederation federation = await TestFederation.StartAsync();
        await using PublishedDaemon daemon = await PublishedDaemon.StartAsync(federation, "--max-jobs", "3");
        string folder = daemon.Home;
        Prepare(federation, folder);
        federation.Cache.Faults.Add("GET", "/public/half", FaultAction.Hold(new Gate(2_000_000)));
        federation.Cache.Faults.Add("GET", "/public/tree/sub/c", FaultAction.Hold(new Gate()));
        federation.Origin.Faults.Add("PUT", "/demo/up/c", FaultAction.HoldUpload(new Gate(1_000_000)));

        await Submit(Job(Get("done", "done")), "k");
        await Submit(Job(Get("missing", "missing")), null);
        string cancelled = await Submit(Job(Get("tree/sub/c", "cancelled"), Get("done", "cancelled2")), null);
        await daemon.SendAsync("DELETE", $"/jobs/{cancelled}", null, cancellationToken);
        await Submit(Job(Get("done", "done2"), Get("half", "half")), null);
        await Submit(Job(Get("tree?recursive", "tree")), null);
        await Submit(Job(ApiServer.Transfer("put", $"{folder}/up", $"pelican://{federation.DiscoveryHost}/demo/up?recursive")), null);
        await Submit(Job(Get("done", "waiting")), null);
        await Expect.UntilAsync(() => HoldsProgress(daemon.Database), cancellationToken);
        daemon.Kill();
        Rename(daemon.Database, (folder, RecordedFolder), (federation.DiscoveryHost, RecordedHost));
        File.Copy(daemon.Database, target!, overwrite: true);

        string Get(string name, string file) => ApiServer.Transfer("get", $"pelican://{federation.DiscoveryHost}/public/{name}", $"{folder}/{file}");

        async Task<string> Submit(string body, string? key)
        {
            (_, JsonElement job) = await daemon.SendAsync("POST", "/jobs", body, cancellationToken, key);
            string id = job.GetProperty("job_id").GetString()!;
            if (key is not null)
            {
                await daemon.SendAsync("GET", $"/jobs/{id}?wait=30s", null, cancellationToken);
            }

            return id;
        }
    }

    private static string Job(params string[] transfers) => $$"""{"transfers":[{{string.Join(',', transfers)}}]}""";

    private static void Prepare(TestFederation federation, string folder)
    {
        foreach ((string path, byte[] content) in new[] { ("done", Small), ("half", Large), ("tree/a", Small), ("tree/b", Small), ("tree/sub/c", Large) })
        {
            federation.Origin.Store($"/public/{path}", content, Modified);
        }

        Directory.CreateDirectory(Path.Combine(folder, "tree"));
        Directory.CreateDirectory(Path.Combine(folder, "up"));
        foreach ((string name, byte[] content) in new[] { ("a", Small), ("b", Small), ("c", Large) })
        {
            string file = Path.Combine(folder, "up", name);
            File.WriteAllBytes(file, content);
            File.SetLastWriteTimeUtc(file, Modified.UtcDateTime);
        }
    }

    // Asked of a copy, since the daemon lets nobody else into its own.
    private static bool HoldsProgress(string database)
    {
        string copy = database + ".copy";
        File.Copy(database, copy, overwrite: true);
        File.Copy(database + "-wal", copy + "-wal", overwrite: true);
        using SqliteConnection connection = Open(copy);
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = """
            SELECT (SELECT count(*) FROM objects WHERE done = 1) >= 4
                AND (SELECT count(*) FROM transfers WHERE status = 'running' AND bytes > 0) = 3
            """;
        return command.ExecuteScalar() is 1L;
    }

    private static SqliteConnection Open(string database)
    {
        SQLitePCL.raw.SetProvider(new SQLitePCL.SQLite3Provider_e_sqlite3());
        SqliteConnection connection = new($"Data Source={database};Pooling=False");
        connection.Open();
        return connection;
    }

    private static void Rename(string database, params (string From, string To)[] names)
    {
        using SqliteConnection connection = Open(database);
        foreach ((string from, string to) in names)
        {
            using SqliteCommand command = connection.CreateCommand();
            command.CommandText = """
                UPDATE transfers SET source = replace(source, $from, $to), destination = replace(destination, $from, $to),
                    error = replace(error, $from, $to), attempts = replace(attempts, $from, $to);
                UPDATE jobs SET error = replace(error, $from, $to);
                PRAGMA wal_checkpoint(TRUNCATE);
                """;
            command.Parameters.AddWithValue("$from", from);
            command.Parameters.AddWithValue("$to", to);
            command.ExecuteNonQuery();
        }
    }
}
