using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Pelican.Federation;
using Pelican.Tests.Support;

namespace Pelican.Tests.Server;

/// <summary>Events of jobs, and waiting for them, through the socket.</summary>
public sealed class EventStreamTests
{
    private static readonly byte[] Large = Bytes.Random(3_000_000);

    [Test]
    public async Task The_events_of_a_past_job_are_all_there_in_order(CancellationToken cancellationToken)
    {
        await using ApiServer server = await ApiServer.StartAsync();
        server.Federation.Origin.Store("/public/a", Large);
        string id = await server.CreateAsync(cancellationToken, server.Get("/public/a", "a"), server.Get("/public/none", "b"));
        await server.EndAsync(id, cancellationToken);

        List<Message> last = await ReadAsync(server, id, null, cancellationToken);
        List<Message> all = await ReadAsync(server, id, 0, cancellationToken);
        List<Message> some = await ReadAsync(server, id, all[2].Id, cancellationToken);

        await Assert.That(last.Select(m => m.Short)).IsEquivalentTo(["status failed"]);
        await Assert.That(all.Select(m => m.Short)).IsEquivalentTo(
            ["status pending", "status running", "transfer running", "transfer completed", "transfer running", "transfer failed", "status failed"],
            TUnit.Assertions.Enums.CollectionOrdering.Matching);
        await Assert.That(all.Select(m => m.Id)).IsEquivalentTo(all.Select(m => m.Id).Order(), TUnit.Assertions.Enums.CollectionOrdering.Matching);
        await Assert.That(some).IsEquivalentTo(all[3..], TUnit.Assertions.Enums.CollectionOrdering.Matching);
        await Assert.That(last[0].Data.GetProperty("error").GetString()!).StartsWith("1 of 2 transfers failed");
        await Assert.That(last[0].Data.GetProperty("bytes_transferred").GetInt64()).IsEqualTo(Large.Length);
    }

    [Test]
    public async Task Of_a_job_with_many_transfers_no_event_is_left_out(CancellationToken cancellationToken)
    {
        const int transfers = 120;
        await using ApiServer server = await ApiServer.StartAsync();
        server.Federation.Origin.Store("/public/a", [1]);
        string id = await server.CreateAsync(cancellationToken, [.. Enumerable.Range(0, transfers).Select(i => server.Get("/public/a", $"a{i}"))]);

        List<Message> live = await ReadAsync(server, id, 0, cancellationToken);
        List<Message> past = await ReadAsync(server, id, 0, cancellationToken);

        IEnumerable<long?> numbers = Enumerable.Range(1, (2 * transfers) + 3).Select(i => (long?)i);
        await Assert.That(live.Where(m => m.Type != "progress").Select(m => m.Id)).IsEquivalentTo(numbers, TUnit.Assertions.Enums.CollectionOrdering.Matching);
        await Assert.That(past.Select(m => m.Id)).IsEquivalentTo(numbers, TUnit.Assertions.Enums.CollectionOrdering.Matching);
    }

    [Test]
    public async Task The_number_of_another_jobs_event_says_nothing_of_this_one(CancellationToken cancellationToken)
    {
        await using ApiServer server = await ApiServer.StartAsync();
        string id = await server.CreateAsync(cancellationToken, server.Get("/public/none", "a"));
        await server.EndAsync(id, cancellationToken);

        List<Message> messages = await ReadAsync(server, id, 99, cancellationToken);

        await Assert.That(messages.Select(m => m.Short)).IsEquivalentTo(["status failed"]);
    }

    [Test]
    public async Task A_job_that_runs_sends_its_state_its_progress_and_its_end(CancellationToken cancellationToken)
    {
        await using ApiServer server = await ApiServer.StartAsync();
        server.Federation.Origin.Store("/public/a", Large);
        Gate gate = new(1_000_000);
        server.Federation.Cache.Faults.Add("GET", "/public/a", FaultAction.Hold(gate));
        using HttpRequestMessage request = new(HttpMethod.Post, ApiServer.Base + "/jobs")
        {
            Content = new StringContent($$"""{"transfers":[{{server.Get("/public/a", "a")}}]}""", Encoding.UTF8, "application/json"),
            Headers = { Accept = { new MediaTypeWithQualityHeaderValue("text/event-stream") } },
        };

        using HttpResponseMessage response = await server.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        using StreamReader reader = new(await response.Content.ReadAsStreamAsync(cancellationToken));
        List<Message> messages = [];
        while (await NextAsync(reader, cancellationToken) is { } message)
        {
            messages.Add(message);
            if (message.Type == "progress")
            {
                gate.Open();
            }
        }

        await Assert.That(response.StatusCode).IsEqualTo(HttpStatusCode.OK);
        await Assert.That(response.Content.Headers.ContentType!.MediaType).IsEqualTo("text/event-stream");
        await Assert.That(messages.Select(m => m.Short)).Contains("status running");
        await Assert.That(messages.First(m => m.Type == "progress").Data.GetProperty("bytes_transferred").GetInt64()).IsEqualTo(1_000_000);
        await Assert.That(messages[^1].Short).IsEqualTo("status completed");
    }

    [Test]
    public async Task A_reader_goes_on_after_a_restart_and_misses_nothing(CancellationToken cancellationToken)
    {
        await using ApiServer server = await ApiServer.StartAsync();
        server.Federation.Origin.Store("/public/a", Large);
        Gate gate = new(1_000_000);
        server.Federation.Cache.Faults.Add("GET", "/public/a", FaultAction.Hold(gate), times: 1);
        string id = await server.CreateAsync(cancellationToken, server.Get("/public/a", "a"));
        await gate.Blocked.WaitAsync(cancellationToken);
        using HttpResponseMessage response = await OpenAsync(server, id, 0, cancellationToken);
        using StreamReader reader = new(await response.Content.ReadAsStreamAsync(cancellationToken));
        List<Message> seen = [];
        while (await NextAsync(reader, cancellationToken) is { } message)
        {
            seen.Add(message);
            if (message.Short == "transfer running")
            {
                await server.StopAsync();
            }
        }

        await server.StartAgainAsync();
        List<Message> after = await ReadAsync(server, id, seen.Max(m => m.Id), cancellationToken);

        await Assert.That(seen.Concat(after).Where(m => m.Type != "progress").Select(m => m.Short)).IsEquivalentTo(
            ["status pending", "status running", "transfer running", "transfer completed", "status completed"],
            TUnit.Assertions.Enums.CollectionOrdering.Matching);
    }

    [Test]
    public async Task A_wait_ends_with_the_next_change(CancellationToken cancellationToken)
    {
        await using ApiServer server = await ApiServer.StartAsync();
        server.Federation.Origin.Store("/public/a", Large);
        Gate gate = new();
        server.Federation.Cache.Faults.Add("GET", "/public/a", FaultAction.Hold(gate));
        string id = await server.CreateAsync(cancellationToken, server.Get("/public/a", "a"));

        JsonElement changed = (await server.SendAsync("GET", $"/jobs/{id}?wait=60s&since=1", null, cancellationToken)).Body;
        JsonElement running = (await server.SendAsync("GET", $"/jobs/{id}?wait=60s&since=2", null, cancellationToken)).Body;
        JsonElement soon = (await server.SendAsync("GET", $"/jobs/{id}?wait=10ms", null, cancellationToken)).Body;
        Task<JsonElement> end = server.EndAsync(id, cancellationToken);
        gate.Open();

        await Assert.That(changed.GetProperty("sequence").GetInt64()).IsGreaterThan(1);
        await Assert.That(running.GetProperty("transfers")[0].GetProperty("status").GetString()).IsEqualTo("running");
        await Assert.That(soon.GetProperty("status").GetString()).IsEqualTo("running");
        await Assert.That((await end).GetProperty("status").GetString()).IsEqualTo("completed");
    }

    private static async Task<List<Message>> ReadAsync(ApiServer server, string job, long? after, CancellationToken cancellationToken)
    {
        using HttpResponseMessage response = await OpenAsync(server, job, after, cancellationToken);
        using StreamReader reader = new(await response.Content.ReadAsStreamAsync(cancellationToken));
        List<Message> messages = [];
        while (await NextAsync(reader, cancellationToken) is { } message)
        {
            messages.Add(message);
        }

        return messages;
    }

    private static async Task<HttpResponseMessage> OpenAsync(ApiServer server, string job, long? after, CancellationToken cancellationToken)
    {
        using HttpRequestMessage request = new(HttpMethod.Get, $"{ApiServer.Base}/jobs/{job}/events");
        if (after is not null)
        {
            request.Headers.Add("Last-Event-ID", after.ToString());
        }

        return await server.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
    }

    private static async Task<Message?> NextAsync(StreamReader reader, CancellationToken cancellationToken)
    {
        long? id = null;
        string type = "";
        string data = "";
        while (await reader.ReadLineAsync(cancellationToken) is { } line)
        {
            switch (line.Split(": ", 2))
            {
                case ["id", var value]:
                    id = long.Parse(value, System.Globalization.CultureInfo.InvariantCulture);
                    break;
                case ["event", var value]:
                    type = value;
                    break;
                case ["data", var value]:
                    data = value;
                    break;
                case [""] when type.Length > 0:
                    using (JsonDocument json = JsonDocument.Parse(data))
                    {
                        string status = json.RootElement.TryGetProperty("status", out JsonElement state) ? " " + state.GetString() : "";
                        return new Message(id, type, type + status, data);
                    }
            }
        }

        return null;
    }

    private sealed record Message(long? Id, string Type, string Short, string Text)
    {
        public JsonElement Data => JsonElement.Parse(Text);
    }
}
