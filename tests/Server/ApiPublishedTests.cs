using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Pelican.Federation;
using Pelican.Server;
using Pelican.Tests.Support;

namespace Pelican.Tests.Server;

/// <summary>The specification's requests and answers, and each row of client-api.md 4, through the socket of the published executable.</summary>
[ClassDataSource<ApiDaemon>(Shared = SharedType.PerClass)]
public sealed class ApiPublishedTests(ApiDaemon fixture)
{
    private const string Good = """{"operation":"get","source":"osdf:///osgconnect/a","destination":"/tmp/a"}""";
    private const string UnknownId = "550e8400-e29b-41d4-a716-446655440000";

    private static readonly byte[] Content = Bytes.Random(12_345);

    [Test]
    [Arguments("/jobs", "", "it is empty")]
    [Arguments("/jobs", "x", "'x' is an invalid start of a value")]
    [Arguments("/jobs", "{\"transfers\":[", "Invalid request body")]
    [Arguments("/jobs", "[]", "Invalid request body")]
    [Arguments("/jobs", "{\"transfers\":\"x\"}", "transfers: this is no value for it")]
    [Arguments("/jobs", "{\"transfers\":[GOOD,{\"operation\":5}]}", "transfers[1].operation: this is no value for it (line 1, byte 104)")]
    [Arguments("/jobs", "{\"transfers\":[{\"operation\":\"get\",\"source\":\"osdf:///a\",\"destination\":\"/a\",\"recursive\":\"yes\"}]}", "transfers[0].recursive: this is no value for it")]
    [Arguments("/jobs", "{\"transfers\":[GOOD]} x", "Invalid request body")]
    [Arguments("/jobs", "{\"transfers\":[GOOD],\"transfers\":[GOOD]}", "Invalid request body")]
    [Arguments("/jobs", "{}", "transfers")]
    [Arguments("/jobs", "{\"transfers\":null}", "transfers")]
    [Arguments("/jobs", "{\"transfers\":[]}", "transfers: at least one transfer is required")]
    [Arguments("/jobs", "{\"transfers\":[GOOD,null]}", "transfers[1]: null")]
    [Arguments("/jobs", "{\"transfers\":[GOOD,{\"source\":\"osdf:///a\",\"destination\":\"/a\"}]}", "transfers[1]: missing: 'operation'")]
    [Arguments("/jobs", "{\"transfers\":[{\"operation\":\"steal\",\"source\":\"osdf:///a\",\"destination\":\"/a\"}]}", "transfers[0].operation: 'steal' is unknown")]
    [Arguments("/jobs", "{\"transfers\":[{\"operation\":\"get\",\"destination\":\"/a\"}]}", "transfers[0]: missing: 'source'")]
    [Arguments("/jobs", "{\"transfers\":[{\"operation\":\"get\",\"source\":\"osdf:///a\"}]}", "transfers[0].destination: it is required for get operations")]
    [Arguments("/jobs", "{\"transfers\":[{\"operation\":\"prestage\",\"source\":\"osdf:///a\"}]}", "transfers[0].operation: prestage is not there yet")]
    [Arguments("/jobs", "{\"transfers\":[{\"operation\":\"get\",\"source\":\"nonsense\",\"destination\":\"/a\"}]}", "transfers[0].source")]
    [Arguments("/jobs", "{\"transfers\":[{\"operation\":\"get\",\"source\":\"http://x/a\",\"destination\":\"/a\"}]}", "transfers[0].source")]
    [Arguments("/jobs", "{\"transfers\":[{\"operation\":\"get\",\"source\":\"osdf:///a\",\"destination\":\"a/b\"}]}", "transfers[0].destination: 'a/b' is not an absolute local path")]
    [Arguments("/jobs", "{\"transfers\":[{\"operation\":\"put\",\"source\":\"./a\",\"destination\":\"osdf:///a\"}]}", "transfers[0].source: './a' is not an absolute local path")]
    [Arguments("/jobs", "{\"transfers\":[GOOD],\"options\":{\"token\":\"/nonexistent\"}}", "options.token: the file '/nonexistent' holds no token")]
    [Arguments("/jobs", "{\"transfers\":[GOOD],\"options\":{\"caches\":[\"a\",\"::\"]}}", "options.caches[1]")]
    [Arguments("/jobs", "{\"transfers\":[GOOD],\"options\":{\"pack_option\":\"tar\"}}", "options.pack_option")]
    [Arguments("/stat", "{}", "'url'")]
    [Arguments("/list", "{\"options\":{}}", "'url'")]
    [Arguments("/delete", "{\"url\":null}", "url")]
    [Arguments("/stat", "{\"url\":\"nonsense\"}", "url: ")]
    [Arguments("/list", "{\"url\":7}", "url: this is no value for it")]
    [Arguments("/delete", "{\"url\":\"osdf:///a\",\"options\":{\"token\":\"t\"}}", "options.token: it is not an absolute path")]
    public async Task A_body_that_makes_no_sense_is_400_and_names_the_member(string path, string body, string said, CancellationToken cancellationToken)
    {
        ApiDaemon daemon = await fixture.StartedAsync();

        (int status, JsonElement error, _) = await daemon.SendAsync("POST", path, body.Replace("GOOD", Good, StringComparison.Ordinal), cancellationToken);

        await Assert.That((status, error.GetProperty("code").GetString())).IsEqualTo((400, "INVALID_REQUEST"));
        await Assert.That(error.GetProperty("error").GetString()!).Contains(said);
    }

    [Test]
    [Arguments("GET", "/jobs/" + UnknownId, 404, "NOT_FOUND", "Job not found")]
    [Arguments("DELETE", "/jobs/" + UnknownId, 404, "NOT_FOUND", "Job not found")]
    [Arguments("GET", "/jobs/" + UnknownId + "/events", 404, "NOT_FOUND", "Job not found")]
    [Arguments("GET", "/jobs/" + UnknownId + "/transfers/x", 404, "NOT_FOUND", "Job not found")]
    [Arguments("DELETE", "/history/" + UnknownId, 404, "NOT_FOUND", "Job not found")]
    [Arguments("GET", "/jobs/%ff%2f..", 404, "NOT_FOUND", "Job not found")]
    [Arguments("GET", "/history?limit=0", 400, "INVALID_REQUEST", "Invalid limit parameter (must be 1-1000)")]
    [Arguments("GET", "/history?limit=1001", 400, "INVALID_REQUEST", "Invalid limit parameter (must be 1-1000)")]
    [Arguments("GET", "/history?offset=x", 400, "INVALID_REQUEST", "Invalid offset parameter (must be >= 0)")]
    [Arguments("GET", "/history?from=yesterday", 400, "INVALID_REQUEST", "Invalid from parameter (must be RFC3339 format)")]
    [Arguments("GET", "/history?to=2026-01-01T00:00:00+02:00", 400, "INVALID_REQUEST", "Invalid to parameter (must be RFC3339 format)")]
    [Arguments("DELETE", "/history?older_than=x", 400, "INVALID_REQUEST", "Invalid older_than parameter (must be RFC3339 format)")]
    [Arguments("DELETE", "/history", 400, "INVALID_REQUEST", "Must provide either job_id or older_than parameter")]
    [Arguments("GET", "/jobs?cursor=x", 400, "INVALID_REQUEST", "Invalid cursor parameter")]
    [Arguments("GET", "/jobs?from=x", 400, "INVALID_REQUEST", "Invalid from parameter")]
    [Arguments("GET", "/jobs/x?wait=soon", 400, "INVALID_REQUEST", "Invalid wait parameter")]
    [Arguments("GET", "/nowhere", 404, "NOT_FOUND", "there is nothing at")]
    [Arguments("GET", "/api/v2/xfer/jobs", 404, "NOT_FOUND", "there is nothing at")]
    [Arguments("PUT", "/jobs", 405, "INVALID_REQUEST", "PUT is not possible for")]
    [Arguments("OPTIONS", "/jobs", 405, "INVALID_REQUEST", "OPTIONS is not possible for")]
    [Arguments("POST", "/jobs/x", 405, "INVALID_REQUEST", "POST is not possible for")]
    [Arguments("GET", "/stat", 405, "INVALID_REQUEST", "GET is not possible for")]
    [Arguments("POST", "/health", 405, "INVALID_REQUEST", "POST is not possible for")]
    [Arguments("GET", "/shutdown", 405, "INVALID_REQUEST", "GET is not possible for")]
    public async Task What_is_not_there_or_makes_no_sense_is_said_in_json(
        string method, string path, int expected, string code, string said, CancellationToken cancellationToken)
    {
        ApiDaemon daemon = await fixture.StartedAsync();

        (int status, JsonElement error, _) = await daemon.SendAsync(method, path, null, cancellationToken);

        await Assert.That((status, error.GetProperty("code").GetString())).IsEqualTo((expected, code));
        await Assert.That(error.GetProperty("error").GetString()!).StartsWith(said);
    }

    [Test]
    [Arguments("?limit=x", 10, 0)]
    [Arguments("?limit=0", 10, 0)]
    [Arguments("?limit=-5&offset=-1", 10, 0)]
    [Arguments("?limit=101", 100, 0)]
    [Arguments("?limit=7&offset=y", 7, 0)]
    [Arguments("?status=nonsense&offset=3", 10, 3)]
    public async Task A_list_corrects_its_limits_and_says_so(string query, int limit, int offset, CancellationToken cancellationToken)
    {
        ApiDaemon daemon = await fixture.StartedAsync();

        (int status, JsonElement list, _) = await daemon.SendAsync("GET", "/jobs" + query, null, cancellationToken);

        await Assert.That((status, list.GetProperty("limit").GetInt32(), list.GetProperty("offset").GetInt32())).IsEqualTo((200, limit, offset));
        await Assert.That(list.GetProperty("jobs").ValueKind).IsEqualTo(JsonValueKind.Array);
        await Assert.That(!query.Contains("nonsense", StringComparison.Ordinal) || list.GetProperty("total").GetInt64() == 0).IsTrue();
    }

    [Test]
    [Arguments(OpenApiDocument.Base)]
    [Arguments("/api/v1.0/transfer-agent")]
    public async Task A_job_goes_through_its_life_under_each_base(string at, CancellationToken cancellationToken)
    {
        ApiDaemon daemon = await fixture.StartedAsync();
        daemon.Federation.Origin.Store("/public/life", Content);
        string file = $"{daemon.Home}/life-{at.Length}";
        string body = $$"""{"transfers":[{{ApiServer.Transfer("get", daemon.Url("/public/life"), file)}},{{ApiServer.Transfer("put", file, daemon.Url($"/demo/life-{at.Length}"))}}],"options":{"caches":[]} }""";

        (int created, JsonElement job, var headers) = await daemon.SendAsync("POST", at + "/jobs", body, cancellationToken, ("Idempotency-Key", at));
        string id = job.GetProperty("job_id").GetString()!;
        JsonElement end = (await daemon.SendAsync("GET", $"{at}/jobs/{id}?wait=60s", null, cancellationToken)).Body;
        (int again, JsonElement same, _) = await daemon.SendAsync("POST", at + "/jobs", body, cancellationToken, ("Idempotency-Key", at));
        (int other, JsonElement refused, _) = await daemon.SendAsync("POST", at + "/jobs", $$"""{"transfers":[{{Good}}]}""", cancellationToken, ("Idempotency-Key", at));
        JsonElement transfer = end.GetProperty("transfers")[1];
        JsonElement alone = (await daemon.SendAsync("GET", $"{at}/jobs/{id}/transfers/{transfer.GetProperty("transfer_id").GetString()}", null, cancellationToken)).Body;
        (int conflict, JsonElement why, _) = await daemon.SendAsync("DELETE", $"{at}/jobs/{id}", null, cancellationToken);
        JsonElement history = (await daemon.SendAsync("GET", $"{at}/history?status=completed&limit=1000", null, cancellationToken)).Body;
        JsonElement removed = (await daemon.SendAsync("DELETE", $"{at}/history/{id}", null, cancellationToken)).Body;
        (int gone, _, _) = await daemon.SendAsync("GET", $"{at}/jobs/{id}", null, cancellationToken);

        await Assert.That((created, again, other, conflict, gone)).IsEqualTo((201, 201, 422, 409, 404));
        await Assert.That(headers.Location!.OriginalString).IsEqualTo($"{at}/jobs/{id}");
        await Assert.That(same.GetRawText()).IsEqualTo(job.GetRawText());
        await Assert.That(refused.GetProperty("code").GetString()).IsEqualTo("INVALID_REQUEST");
        await Assert.That(end.GetProperty("status").GetString()).IsEqualTo("completed");
        await Assert.That(end.GetProperty("progress").GetRawText()).Contains("\"percentage\":100,").And.Contains("\"transfers_completed\":2,\"transfers_total\":2,\"transfers_failed\":0");
        await Assert.That(alone.GetRawText()).IsEqualTo(transfer.GetRawText());
        await Assert.That((why.GetProperty("error").GetString(), why.GetProperty("code").GetString())).IsEqualTo(("Job already completed", "CONFLICT"));
        await Assert.That(history.GetProperty("jobs").EnumerateArray().Select(past => past.GetProperty("ID").GetString())).Contains(id);
        await Assert.That(removed.GetProperty("message").GetString()).IsEqualTo("Job history deleted");
        await Assert.That(await File.ReadAllBytesAsync(daemon.Federation.Origin.FileOf($"/demo/life-{at.Length}"), cancellationToken)).IsEquivalentTo(Content, TUnit.Assertions.Enums.CollectionOrdering.Matching);
    }

    [Test]
    public async Task A_running_job_is_listed_watched_waited_for_and_cancelled(CancellationToken cancellationToken)
    {
        ApiDaemon daemon = await fixture.StartedAsync();
        daemon.Federation.Origin.Store("/public/held", Bytes.Random(3_000_000));
        Gate gate = new(1_000_000);
        daemon.Federation.Cache.Faults.Add("GET", "/public/held", FaultAction.Hold(gate));
        string id = await daemon.GetAsync("/public/held", "held", cancellationToken);
        await gate.Blocked.WaitAsync(cancellationToken);

        JsonElement list = (await daemon.SendAsync("GET", "/jobs?status=running,cancelled&limit=100", null, cancellationToken)).Body;
        JsonElement changed = (await daemon.SendAsync("GET", $"/jobs/{id}?wait=30s&since=1", null, cancellationToken)).Body;
        using HttpResponseMessage events = await daemon.EventsAsync(id, null, cancellationToken);
        using StreamReader reader = new(await events.Content.ReadAsStreamAsync(cancellationToken));
        string? first = await reader.ReadLineAsync(cancellationToken);
        (int status, JsonElement cancelled, _) = await daemon.SendAsync("DELETE", $"/jobs/{id}", null, cancellationToken);
        string rest = await reader.ReadToEndAsync(cancellationToken);
        (int again, JsonElement same, _) = await daemon.SendAsync("DELETE", $"/jobs/{id}", null, cancellationToken);

        await Assert.That(list.GetProperty("jobs").EnumerateArray().Select(job => job.GetProperty("job_id").GetString())).Contains(id);
        await Assert.That((changed.GetProperty("status").GetString(), changed.GetProperty("sequence").GetInt64() > 1)).IsEqualTo(("running", true));
        await Assert.That(events.Content.Headers.ContentType!.MediaType).IsEqualTo("text/event-stream");
        await Assert.That(first!).StartsWith("id: ");
        await Assert.That(rest).Contains("event: status\ndata: {\"job_id\":\"" + id + "\",\"status\":\"cancelled\"");
        await Assert.That((status, cancelled.GetProperty("transfers_cancelled").GetInt32(), cancelled.GetProperty("transfers_completed").GetInt32())).IsEqualTo((200, 1, 0));
        await Assert.That((again, same.GetRawText())).IsEqualTo((200, cancelled.GetRawText()));
        await Assert.That(File.Exists($"{daemon.Home}/held")).IsFalse();
    }

    [Test]
    public async Task Creation_can_answer_with_the_events(CancellationToken cancellationToken)
    {
        ApiDaemon daemon = await fixture.StartedAsync();
        daemon.Federation.Origin.Store("/public/events", Content);
        using HttpRequestMessage request = new(HttpMethod.Post, OpenApiDocument.Base + "/jobs")
        {
            Content = new StringContent($$"""{"transfers":[{{ApiServer.Transfer("get", daemon.Url("/public/events"), daemon.Home + "/events")}}]}"""),
            Headers = { { "Accept", "text/event-stream" } },
        };

        using HttpResponseMessage response = await daemon.Http.SendAsync(request, cancellationToken);
        string text = await response.Content.ReadAsStringAsync(cancellationToken);

        await Assert.That((int)response.StatusCode).IsEqualTo(200);
        await Assert.That(response.Headers.Location!.OriginalString).StartsWith(OpenApiDocument.Base + "/jobs/");
        await Assert.That(text).Contains("event: status\ndata: ").And.EndsWith("\n\n");
        await Assert.That(text.TrimEnd().Split('\n')[^1]).Contains("\"status\":\"completed\"");
    }

    [Test]
    public async Task Objects_are_described_listed_and_deleted_as_the_specification_shows_it(CancellationToken cancellationToken)
    {
        ApiDaemon daemon = await fixture.StartedAsync();
        daemon.Federation.Origin.Store("/demo/tree/example.txt", Content, DateTimeOffset.FromUnixTimeSeconds(1_700_000_000));
        daemon.Federation.Origin.Store("/demo/tree/subdir/b", Content);
        string Of(string path, string more = "") => $$"""{"url":"{{daemon.Url(path)}}"{{more}} }""";

        JsonElement stat = (await daemon.SendAsync("POST", "/stat", Of("/demo/tree/example.txt"), cancellationToken)).Body;
        JsonElement list = (await daemon.SendAsync("POST", "/list", Of("/demo/tree"), cancellationToken)).Body;
        (int full, JsonElement notEmpty, _) = await daemon.SendAsync("POST", "/delete", Of("/demo/tree"), cancellationToken);
        JsonElement one = (await daemon.SendAsync("POST", "/delete", Of("/demo/tree/example.txt"), cancellationToken)).Body;
        (int tree, _, _) = await daemon.SendAsync("POST", "/delete", Of("/demo/tree", ",\"recursive\":true"), cancellationToken);
        (int gone, JsonElement missing, _) = await daemon.SendAsync("POST", "/stat", Of("/demo/tree/example.txt"), cancellationToken);

        await Assert.That(stat.GetProperty("name").GetString()).IsEqualTo("example.txt");
        await Assert.That(stat.GetProperty("size").GetInt64()).IsEqualTo(Content.Length);
        await Assert.That(stat.GetProperty("mod_time").GetString()).IsEqualTo("2023-11-14T22:13:20Z");
        await Assert.That(stat.GetProperty("checksums").EnumerateObject().Count()).IsGreaterThan(0);
        await Assert.That(list.GetProperty("items").EnumerateArray().Select(item => (item.GetProperty("name").GetString(), item.GetProperty("is_collection").GetBoolean())))
            .IsEquivalentTo([((string?)"example.txt", false), ("subdir", true)]);
        await Assert.That((full, notEmpty.GetProperty("code").GetString())).IsEqualTo((409, "CONFLICT"));
        await Assert.That(one.GetRawText()).IsEqualTo($$"""{"message":"Object deleted successfully","url":"{{daemon.Url("/demo/tree/example.txt")}}"}""");
        await Assert.That((tree, Directory.Exists(daemon.Federation.Origin.FileOf("/demo/tree")))).IsEqualTo((200, false));
        await Assert.That((gone, missing.GetProperty("code").GetString())).IsEqualTo((404, "NOT_FOUND"));
    }

    [Test]
    [Arguments("/stat", "/public/missing", 404, "NOT_FOUND", false)]
    [Arguments("/list", "/public/missing", 404, "NOT_FOUND", false)]
    [Arguments("/delete", "/demo/missing", 404, "NOT_FOUND", false)]
    [Arguments("/stat", "/protected/a", 401, "UNAUTHORIZED", false)]
    [Arguments("/stat", "/public/slow", 504, "TIMEOUT", true)]
    [Arguments("/stat", "/nowhere/a", 404, "NOT_FOUND", false)]
    public async Task Errors_of_the_federation_are_told_apart(string path, string what, int expected, string code, bool retryable, CancellationToken cancellationToken)
    {
        ApiDaemon daemon = await fixture.StartedAsync();
        daemon.Federation.Origin.Store("/protected/a", Content);
        // The director sends nobody to what is nowhere, unless it has told of the namespace before.
        daemon.Federation.Origin.Store("/public/slow", Content);
        daemon.Federation.Cache.Faults.Add("PROPFIND", "/public/slow", FaultAction.Answer(504));
        daemon.Federation.Origin.Faults.Add("PROPFIND", "/public/slow", FaultAction.Answer(504));

        (int status, JsonElement error, _) = await daemon.SendAsync("POST", path, $$"""{"url":"{{daemon.Url(what)}}"}""", cancellationToken);

        await Assert.That((status, error.GetProperty("code").GetString(), error.GetProperty("retryable").GetBoolean())).IsEqualTo((expected, code, retryable))
            .Because(error.GetRawText());
    }

    [Test]
    public async Task Who_hangs_up_is_not_worked_for(CancellationToken cancellationToken)
    {
        await using ApiDaemon daemon = await new ApiDaemon().StartedAsync();
        daemon.Federation.Origin.Store("/public/patient", Content);
        Gate gate = new();
        daemon.Federation.Cache.Faults.Add("PROPFIND", "/public/patient", FaultAction.Delay(gate));
        daemon.Federation.Origin.Faults.Add("PROPFIND", "/public/patient", FaultAction.Delay(gate));
        Socket socket = await daemon.ConnectAsync(cancellationToken);
        string body = $$"""{"url":"{{daemon.Url("/public/patient")}}"}""";
        await socket.SendAsync(Encoding.ASCII.GetBytes($"POST {OpenApiDocument.Base}/stat HTTP/1.1\r\nHost: x\r\nContent-Length: {body.Length}\r\n\r\n{body}"), cancellationToken);
        await gate.Blocked.WaitAsync(cancellationToken);
        int busy = Descriptors(daemon);

        socket.Dispose();

        // This connection and the one to the server, which has not answered yet.
        await Expect.UntilAsync(() => Descriptors(daemon) <= busy - 2, cancellationToken);
        gate.Open();
    }

    [Test]
    public async Task A_body_over_the_limit_is_413_and_one_announced_is_not_even_asked_for(CancellationToken cancellationToken)
    {
        ApiDaemon daemon = await fixture.StartedAsync();

        (int sent, JsonElement error, _) = await daemon.SendAsync("POST", "/jobs", new string(' ', ApiRequest.MaxBodyBytes) + "{}", cancellationToken);
        string announced = await RawAsync(daemon, $"POST {OpenApiDocument.Base}/jobs HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nConnection: close\r\nContent-Length: 999999999\r\n\r\n", cancellationToken);
        string huge = await RawAsync(daemon, $"POST {OpenApiDocument.Base}/jobs HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 999999999\r\n\r\n", cancellationToken);

        await Assert.That((sent, error.GetProperty("code").GetString())).IsEqualTo((413, "INVALID_REQUEST"));
        await Assert.That(announced).StartsWith("HTTP/1.1 413 ").And.Contains("\"error\":\"the request body is larger than 8388608 bytes\"");
        await Assert.That(huge).StartsWith("HTTP/1.1 413 ").And.Contains("\"error\":\"the request body is larger than 8388608 bytes\"");
    }

    [Test]
    [Arguments("GET /health HTTP/1.0\r\n\r\n", 200)]
    [Arguments("GET http://localhost/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", 200)]
    [Arguments("HEAD /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 200)]
    [Arguments("HEAD BASE/jobs HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 200)]
    [Arguments("GET BASE/jobs/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 200)]
    [Arguments("OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 404)]
    [Arguments("CONNECT x:1 HTTP/1.1\r\nHost: x:1\r\nConnection: close\r\n\r\n", 404)]
    [Arguments("GET /health HTTP/1.1\r\n\r\n", 400)]
    [Arguments("nonsense\r\n\r\n", 400)]
    [Arguments("GET /health HTTP/1.1\r\nHost: x\r\nno colon\r\n\r\n", 400)]
    [Arguments("GET BASE/jobs/%00 HTTP/1.1\r\nHost: x\r\n\r\n", 400)]
    [Arguments("GET /health HTTP/2.0\r\nHost: x\r\n\r\n", 505)]
    [Arguments("GET /LONG HTTP/1.1\r\nHost: x\r\n\r\n", 414)]
    [Arguments("GET /health HTTP/1.1\r\nHost: x\r\nX: LONGLONGLONG\r\n\r\n", 431)]
    [Arguments("POST BASE/jobs HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", 400)]
    [Arguments("POST BASE/jobs HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400)]
    [Arguments("POST BASE/jobs HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcdeXX", 400)]
    public async Task Strange_http_is_answered(string request, int status, CancellationToken cancellationToken)
    {
        ApiDaemon daemon = await fixture.StartedAsync();

        string answer = await RawAsync(daemon, request.Replace("BASE", OpenApiDocument.Base, StringComparison.Ordinal)
            .Replace("LONG", new string('a', 15_000), StringComparison.Ordinal), cancellationToken);

        await Assert.That(answer).StartsWith($"HTTP/1.1 {status} ");
        await Assert.That(status == 200 || answer.Contains("\"error\":", StringComparison.Ordinal) && answer.Contains("\"code\":", StringComparison.Ordinal)).IsTrue();
    }

    [Test]
    public async Task Health_and_the_document_are_there_and_printed(CancellationToken cancellationToken)
    {
        ApiDaemon daemon = await fixture.StartedAsync();

        JsonElement health = (await daemon.SendAsync("GET", "/health", null, cancellationToken)).Body;
        byte[] document = await daemon.Http.GetByteArrayAsync(OpenApi.Path, cancellationToken);
        ProgramRun printed = await daemon.ProgramAsync(PublishedExecutable.Find().Path, ["client-api", "openapi"]);

        await Assert.That((health.GetProperty("status").GetString(), health.GetProperty("pid").GetInt32())).IsEqualTo(("ok", daemon.Pid));
        await Assert.That(document).IsEquivalentTo(OpenApi.Document(), TUnit.Assertions.Enums.CollectionOrdering.Matching);
        await Assert.That(printed).IsEqualTo(new ProgramRun(0, Encoding.UTF8.GetString(document), ""));
    }

    [Test]
    public async Task A_reader_of_events_misses_nothing_when_the_server_is_started_again(CancellationToken cancellationToken)
    {
        await using ApiDaemon daemon = await new ApiDaemon().StartedAsync();
        daemon.Federation.Origin.Store("/public/a", Bytes.Random(3_000_000));
        Gate gate = new(1_000_000);
        daemon.Federation.Cache.Faults.Add("GET", "/public/a", FaultAction.Hold(gate), times: 1);
        string id = await daemon.GetAsync("/public/a", "a", cancellationToken);
        await gate.Blocked.WaitAsync(cancellationToken);
        using HttpResponseMessage response = await daemon.EventsAsync(id, 0, cancellationToken);
        Task<string> seen = response.Content.ReadAsStringAsync(cancellationToken);

        await daemon.StopAsync();
        string[] before = Numbered(await seen);
        await daemon.StartedAsync();
        using HttpResponseMessage next = await daemon.EventsAsync(id, before.Length, cancellationToken);
        string[] after = Numbered(await next.Content.ReadAsStringAsync(cancellationToken));

        await Assert.That(before.Concat(after)).IsEquivalentTo(["id: 1", "id: 2", "id: 3", "id: 4", "id: 5"], TUnit.Assertions.Enums.CollectionOrdering.Matching);
    }

    private static int Descriptors(ApiDaemon daemon) => Directory.GetFileSystemEntries($"/proc/{daemon.Pid}/fd").Length;

    private static string[] Numbered(string events) => [.. events.Split('\n').Where(line => line.StartsWith("id: ", StringComparison.Ordinal))];

    private static async Task<string> RawAsync(ApiDaemon daemon, string request, CancellationToken cancellationToken)
    {
        using Socket socket = await daemon.ConnectAsync(cancellationToken);
        await using NetworkStream stream = new(socket);
        await stream.WriteAsync(Encoding.Latin1.GetBytes(request), cancellationToken);
        using MemoryStream answer = new();
        try
        {
            await stream.CopyToAsync(answer, cancellationToken);
        }
        catch (IOException)
        {
            // It was refused before all of it had been read, and the rest is why the connection was reset.
        }

        return Encoding.Latin1.GetString(answer.ToArray());
    }
}
