using System.Net;
using System.Text.Json;
using Pelican.Federation;
using Pelican.Server;
using Pelican.Tests.Support;
using Pelican.Transfer;

namespace Pelican.Tests.Server;

/// <summary>Jobs to which several things happen at once.</summary>
public sealed class JobRaceTests
{
    private static readonly byte[] Small = Bytes.Random(10_000);

    [Test]
    public async Task A_cancellation_that_meets_the_end_leaves_one_final_state(CancellationToken cancellationToken)
    {
        const int count = 100;
        await using ApiServer server = await ApiServer.StartAsync();
        server.Federation.Origin.Store("/public/a", Small);

        HttpStatusCode[] answers = new HttpStatusCode[count];
        string[] ids = new string[count];
        await Parallel.ForAsync(0, count, new ParallelOptions { MaxDegreeOfParallelism = 8, CancellationToken = cancellationToken }, async (i, token) =>
        {
            ids[i] = await server.CreateAsync(token, server.Get("/public/a", $"{i}"), server.Get("/public/a", $"{i}.second"));
            if (i % 3 > 0)
            {
                await server.SendAsync("GET", $"/jobs/{ids[i]}?wait=60s&since={i % 3}", null, token);
            }

            (answers[i], _, _) = await server.SendAsync("DELETE", $"/jobs/{ids[i]}", null, token);
        });

        for (int i = 0; i < count; i++)
        {
            JsonElement job = (await server.SendAsync("GET", $"/jobs/{ids[i]}", null, cancellationToken)).Body;
            string state = job.GetProperty("status").GetString()!;
            await Assert.That((answers[i], state)).IsEqualTo(answers[i] == HttpStatusCode.OK ? (HttpStatusCode.OK, "cancelled") : (HttpStatusCode.Conflict, "completed"));
            await Assert.That(job.GetProperty("transfers").EnumerateArray().Select(t => t.GetProperty("status").GetString() == "completed"))
                .IsEquivalentTo([File.Exists(server.File($"{i}")), File.Exists(server.File($"{i}.second"))], TUnit.Assertions.Enums.CollectionOrdering.Matching);
        }

        await Assert.That(server.Jobs.ActiveJobs).IsEqualTo(0);
    }

    [Test]
    public async Task Removing_old_jobs_does_not_touch_what_runs(CancellationToken cancellationToken)
    {
        await using ApiServer server = await ApiServer.StartAsync();
        server.Federation.Origin.Store("/public/a", Small);
        Gate gate = new();
        server.Federation.Cache.Faults.Add("GET", "/public/a", FaultAction.Hold(gate));
        string running = await server.CreateAsync(cancellationToken, server.Get("/public/a", "a"));
        string failed = await server.CreateAsync(cancellationToken, server.Get("/public/none", "b"));
        await gate.Blocked.WaitAsync(cancellationToken);
        await server.EndAsync(failed, cancellationToken);

        int first = await server.Jobs.PruneAsync(DateTimeOffset.MaxValue, cancellationToken);
        gate.Open();
        JsonElement job = await server.EndAsync(running, cancellationToken);
        int second = await server.Jobs.PruneAsync(DateTimeOffset.MaxValue, cancellationToken);

        await Assert.That((first, second)).IsEqualTo((1, 1));
        await Assert.That(job.GetProperty("status").GetString()).IsEqualTo("completed");
    }

    [Test]
    public async Task A_stop_during_a_walk_is_no_failure_and_the_totals_are_right_in_the_end(CancellationToken cancellationToken)
    {
        await using ApiServer server = await ApiServer.StartAsync();
        for (int i = 0; i < 4; i++)
        {
            server.Federation.Origin.Store($"/public/tree/{i}/a", Small);
        }

        Gate gate = new();
        Fault held = server.Federation.Origin.Faults.Add(new Fault(r => r.Method == "PROPFIND" && r.Path.TrimEnd('/') == "/public/tree/2", FaultAction.Delay(gate), times: 1));
        string id = await server.CreateAsync(cancellationToken, server.Get("/public/tree?recursive", "copy"));
        await gate.Blocked.WaitAsync(cancellationToken);
        JsonElement walking = (await server.SendAsync("GET", $"/jobs/{id}", null, cancellationToken)).Body;

        await server.StopAsync();
        await server.StartAgainAsync();
        JsonElement job = await server.EndAsync(id, cancellationToken);

        await Assert.That(held.Hits).IsEqualTo(1);
        await Assert.That(walking.GetProperty("progress").GetProperty("totals_grow").GetBoolean()).IsTrue();
        await Assert.That((job.GetProperty("status").GetString(), job.GetProperty("progress").TryGetProperty("totals_grow", out _))).IsEqualTo(("completed", false));
        await Assert.That(job.GetProperty("progress").GetProperty("total_bytes").GetInt64()).IsEqualTo(4 * Small.Length);
        await Assert.That(job.GetProperty("progress").GetProperty("bytes_transferred").GetInt64()).IsEqualTo(4 * Small.Length);
    }

    [Test]
    public async Task A_tree_names_the_attempts_of_what_failed_in_it(CancellationToken cancellationToken)
    {
        await using ApiServer server = await ApiServer.StartAsync();
        server.Federation.Origin.Store("/public/tree/a", Small);
        server.Federation.Origin.Store("/public/tree/sub/b", Small);
        foreach (FederationServer one in (FederationServer[])[server.Federation.Cache, server.Federation.Origin])
        {
            one.Faults.Add("GET", "/public/tree/sub/b", FaultAction.Answer(404));
        }

        string id = await server.CreateAsync(cancellationToken, server.Get("/public/tree?recursive", "copy"));
        JsonElement job = await server.EndAsync(id, cancellationToken);
        JsonElement attempt = job.GetProperty("transfers")[0].GetProperty("attempts")[0];

        await Assert.That(job.GetProperty("status").GetString()).IsEqualTo("failed");
        await Assert.That(job.GetProperty("error").GetString()!).StartsWith("1 of 1 transfers failed; the first: 1 of 2 failed, first: ");
        await Assert.That(attempt.GetProperty("path").GetString()).IsEqualTo("sub/b");
        await Assert.That(attempt.GetProperty("server").GetString()).IsEqualTo(server.Federation.Cache.Host);
        await Assert.That(attempt.GetProperty("error").GetString()!).Contains("/public/tree/sub/b");
        await Assert.That(Bytes.AreIn(server.File("copy/a"), Small)).IsTrue();
    }

    [Test]
    public async Task No_more_attempts_are_kept_than_can_be_shown()
    {
        JobAttempts tree = new(new Redactor());
        JobAttempts one = new(new Redactor());
        for (int i = 0; i < 1_000; i++)
        {
            tree.Add(new TreeOutcome(new TreeItem($"{i}", "", "", 0, null), null, null, new PelicanException(Errors.Transfer, "no")));
        }

        one.Add([.. Enumerable.Range(0, 1_000).Select(i => new Attempt($"server-{i}", 0, TimeSpan.Zero, "no", Errors.Transfer))]);

        using JsonDocument ofTree = JsonDocument.Parse(tree.ToJson()!);
        using JsonDocument ofOne = JsonDocument.Parse(one.ToJson()!);
        await Assert.That((ofTree.RootElement.GetArrayLength(), ofTree.RootElement[0].GetProperty("path").GetString())).IsEqualTo((JobAttempts.Most, "0"));
        await Assert.That((ofOne.RootElement.GetArrayLength(), ofOne.RootElement[JobAttempts.Most - 1].GetProperty("server").GetString())).IsEqualTo((JobAttempts.Most, "server-999"));
    }
}
