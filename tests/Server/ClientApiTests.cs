using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Pelican.Federation;
using Pelican.Server;
using Pelican.Tests.Support;

namespace Pelican.Tests.Server;

/// <summary>Each input and its answer (client-api.md 4), through the socket.</summary>
public sealed class ClientApiTests
{
    private const string Good = """{"operation":"get","source":"osdf:///a","destination":"/tmp/a"}""";

    private static readonly byte[] Content = Bytes.Random(1234);

    [Test]
    [Arguments("", "it is empty")]
    [Arguments("{", "Invalid request body")]
    [Arguments("{\"transfers\":\"x\"}", "transfers: this is no value")]
    [Arguments("{\"transfers\":[{\"operation\":5}]}", "transfers[0].operation: this is no value")]
    [Arguments("{}", "Invalid request body: missing: 'transfers'")]
    [Arguments("null", "null")]
    [Arguments("{\"transfers\":null}", "transfers: null is no value")]
    [Arguments("{\"transfers\":[]}", "at least one transfer")]
    [Arguments("{\"transfers\":[null]}", "transfers[0]")]
    [Arguments("{\"transfers\":[GOOD]} x", "Invalid request body")]
    [Arguments("{\"transfers\":[GOOD,{\"source\":\"osdf:///a\",\"destination\":\"/tmp/a\"}]}", "operation")]
    [Arguments("{\"transfers\":[GOOD,{\"operation\":\"steal\",\"source\":\"osdf:///a\",\"destination\":\"/tmp/a\"}]}", "transfers[1].operation: 'steal'")]
    [Arguments("{\"transfers\":[{\"operation\":\"prestage\",\"source\":\"osdf:///a\"}]}", "transfers[0].operation: prestage")]
    [Arguments("{\"transfers\":[{\"operation\":\"get\",\"source\":\"\",\"destination\":\"/tmp/a\"}]}", "transfers[0].source")]
    [Arguments("{\"transfers\":[{\"operation\":\"get\",\"source\":\"osdf:///a\"}]}", "transfers[0].destination: it is required for get")]
    [Arguments("{\"transfers\":[{\"operation\":\"get\",\"source\":\"osdf:///a\",\"destination\":\"a\"}]}", "transfers[0].destination: 'a' is not an absolute")]
    [Arguments("{\"transfers\":[{\"operation\":\"get\",\"source\":\"ftp://x/a\",\"destination\":\"/tmp/a\"}]}", "transfers[0].source")]
    [Arguments("{\"transfers\":[{\"operation\":\"get\",\"source\":\"nonsense\",\"destination\":\"/tmp/a\"}]}", "transfers[0].source")]
    [Arguments("{\"transfers\":[{\"operation\":\"put\",\"source\":\"a\",\"destination\":\"osdf:///a\"}]}", "transfers[0].source: 'a' is not an absolute")]
    [Arguments("{\"transfers\":[{\"operation\":\"copy\",\"source\":\"/a\",\"destination\":\"/b\"}]}", "transfers[0]: either source or destination")]
    [Arguments("{\"transfers\":[{\"operation\":\"copy\",\"source\":\"osdf:///a\",\"destination\":\"osdf:///b\"}]}", "transfers[0]: both ends are URLs")]
    [Arguments("{\"transfers\":[{\"operation\":\"get\",\"source\":\"osdf:///a?authz=Bearer%20abcdefghijkl\",\"destination\":\"/tmp/a\"}]}", "there is a token in the URL")]
    [Arguments("{\"transfers\":[GOOD],\"options\":{\"token\":\"/nonexistent/token\"}}", "options.token: the file '/nonexistent/token' holds no token")]
    [Arguments("{\"transfers\":[GOOD],\"options\":{\"token\":\"/etc/passwd\\u0000x\"}}", "options.token: it is not an absolute path")]
    [Arguments("{\"transfers\":[{\"operation\":\"get\",\"source\":\"osdf:///\\ud800\",\"destination\":\"/tmp/a\"}]}", "transfers[0].source")]
    [Arguments("{\"transfers\":[{\"operation\":\"get\",\"source\":\"osdf:///a\",\"destination\":\"/tmp/a\\u0000b\"}]}", "transfers[0].destination: no file")]
    [Arguments("{\"transfers\":[GOOD],\"transfers\":[GOOD]}", "Invalid request body")]
    [Arguments("{\"transfers\":[GOOD],\"options\":{\"token\":\"token\"}}", "options.token: it is not an absolute path")]
    [Arguments("{\"transfers\":[GOOD],\"options\":{\"caches\":[\"a.example.org\",\"::\"]}}", "options.caches[1]")]
    [Arguments("{\"transfers\":[GOOD],\"options\":{\"caches\":[\"+\",\"a.example.org\"]}}", "options.caches[0]")]
    [Arguments("{\"transfers\":[GOOD],\"options\":{\"methods\":[\"ftp\"]}}", "options.methods")]
    [Arguments("{\"transfers\":[GOOD],\"options\":{\"pack_option\":\"tar.gz\"}}", "options.pack_option")]
    [Arguments("{\"transfers\":[GOOD],\"options\":{\"umask\":\"999\"}}", "options.umask")]
    [Arguments("{\"transfers\":[GOOD],\"options\":{\"checksum_algorithm\":\"sha3\"}}", "options.checksum_algorithm")]
    [Arguments("{\"transfers\":[GOOD],\"options\":{\"federation\":\"https://x/y\"}}", "options.federation")]
    public async Task A_request_that_cannot_be_carried_out_is_refused_and_nothing_is_stored(string body, string said, CancellationToken cancellationToken)
    {
        await using ApiServer server = await ApiServer.StartAsync();

        (HttpStatusCode status, JsonElement error, _) = await server.SendAsync("POST", "/jobs", body.Replace("GOOD", Good, StringComparison.Ordinal), cancellationToken);

        await Assert.That(status).IsEqualTo(HttpStatusCode.BadRequest);
        await Assert.That(error.GetProperty("code").GetString()).IsEqualTo("INVALID_REQUEST");
        await Assert.That(error.GetProperty("error").GetString()!).Contains(said);
        await Assert.That((await server.SendAsync("GET", "/jobs", null, cancellationToken)).Body.GetProperty("total").GetInt32()).IsEqualTo(0);
    }

    [Test]
    public async Task A_body_over_the_limit_is_413(CancellationToken cancellationToken)
    {
        await using ApiServer server = await ApiServer.StartAsync();

        (HttpStatusCode status, JsonElement error, _) = await server.SendAsync(
            "POST", "/jobs", new string(' ', ApiRequest.MaxBodyBytes) + $$"""{"transfers":[{{Good}}]}""", cancellationToken);

        await Assert.That(status).IsEqualTo(HttpStatusCode.RequestEntityTooLarge);
        await Assert.That(error.GetProperty("code").GetString()).IsEqualTo("INVALID_REQUEST");
    }

    [Test]
    public async Task A_new_job_is_as_the_specification_shows_it(CancellationToken cancellationToken)
    {
        await using ApiServer server = await ApiServer.StartAsync();

        (HttpStatusCode status, JsonElement job, HttpResponseHeaders headers) = await server.SendAsync(
            "POST", "/jobs", $$"""{"Transfers":[{{server.Get("/public/a", "a")}}],"unknown":1,"options":{"caches":[],"methods":["http"]} }""", cancellationToken);

        await Assert.That(status).IsEqualTo(HttpStatusCode.Created);
        await Assert.That(job.EnumerateObject().Select(m => m.Name)).IsEquivalentTo(["job_id", "status", "created_at", "transfers"]);
        await Assert.That(job.GetProperty("status").GetString()).IsEqualTo("pending");
        await Assert.That(job.GetProperty("created_at").GetString()!).EndsWith("Z");
        await Assert.That(job.GetProperty("transfers")[0].EnumerateObject().Select(m => m.Name))
            .IsEquivalentTo(["transfer_id", "operation", "source", "destination", "status"]);
        await Assert.That(headers.Location!.OriginalString).IsEqualTo($"{ApiServer.Base}/jobs/{job.GetProperty("job_id").GetString()}");
        await Assert.That(Guid.TryParse(job.GetProperty("job_id").GetString(), out _)).IsTrue();
    }

    [Test]
    public async Task Both_bases_show_the_same_jobs(CancellationToken cancellationToken)
    {
        await using ApiServer server = await ApiServer.StartAsync();
        server.Federation.Origin.Store("/public/a", Content);
        (HttpStatusCode status, JsonElement job, HttpResponseHeaders headers) = await server.SendAsync(
            "POST", "/api/v1.0/transfer-agent/jobs", $$"""{"transfers":[{{server.Get("/public/a", "a")}}]}""", cancellationToken);
        string id = job.GetProperty("job_id").GetString()!;

        JsonElement end = await server.EndAsync(id, cancellationToken);

        await Assert.That(status).IsEqualTo(HttpStatusCode.Created);
        await Assert.That(headers.Location!.OriginalString).IsEqualTo($"/api/v1.0/transfer-agent/jobs/{id}");
        await Assert.That(end.GetProperty("status").GetString()).IsEqualTo("completed");
    }

    [Test]
    public async Task The_same_key_and_request_get_the_first_answer_and_another_request_is_422(CancellationToken cancellationToken)
    {
        await using ApiServer server = await ApiServer.StartAsync();
        string body = $$"""{"transfers":[{{server.Get("/public/a", "a")}}]}""";

        (_, JsonElement first, _) = await server.SendAsync("POST", "/jobs", body, cancellationToken, ("Idempotency-Key", "k"));
        await server.EndAsync(first.GetProperty("job_id").GetString()!, cancellationToken);
        (HttpStatusCode status, JsonElement second, HttpResponseHeaders headers) = await server.SendAsync("POST", "/jobs", body, cancellationToken, ("Idempotency-Key", "k"));
        (HttpStatusCode other, JsonElement refused, _) = await server.SendAsync(
            "POST", "/jobs", $$"""{"transfers":[{{Good}}]}""", cancellationToken, ("Idempotency-Key", "k"));

        await Assert.That(status).IsEqualTo(HttpStatusCode.Created);
        await Assert.That(second.GetRawText()).IsEqualTo(first.GetRawText());
        await Assert.That(headers.Location!.OriginalString).EndsWith(first.GetProperty("job_id").GetString()!);
        await Assert.That(other).IsEqualTo(HttpStatusCode.UnprocessableEntity);
        await Assert.That(refused.GetProperty("code").GetString()).IsEqualTo("INVALID_REQUEST");
        await Assert.That((await server.SendAsync("GET", "/jobs", null, cancellationToken)).Body.GetProperty("total").GetInt32()).IsEqualTo(1);
    }

    [Test]
    public async Task The_answer_to_a_key_stays_the_same_when_the_token_has_gone_with_the_job(CancellationToken cancellationToken)
    {
        await using ApiServer server = await ApiServer.StartAsync();
        string token = server.Write("token", "a.b.c"u8.ToArray());
        string body = $$$"""{"transfers":[{{{server.Get("/public/a", "a")}}}],"options":{"token":"{{{token}}}","forget_token":true}}""";

        (_, JsonElement first, _) = await server.SendAsync("POST", "/jobs", body, cancellationToken, ("Idempotency-Key", "k"));
        await server.EndAsync(first.GetProperty("job_id").GetString()!, cancellationToken);
        (HttpStatusCode status, JsonElement second, _) = await server.SendAsync("POST", "/jobs", body, cancellationToken, ("Idempotency-Key", "k"));
        (HttpStatusCode other, _, _) = await server.SendAsync("POST", "/jobs", body, cancellationToken, ("Idempotency-Key", "l"));

        await Assert.That(status).IsEqualTo(HttpStatusCode.Created);
        await Assert.That(second.GetRawText()).IsEqualTo(first.GetRawText());
        await Assert.That(other).IsEqualTo(HttpStatusCode.BadRequest);
    }

    [Test]
    [Arguments("GET", "/jobs/nix")]
    [Arguments("DELETE", "/jobs/nix")]
    [Arguments("GET", "/jobs/nix/events")]
    [Arguments("GET", "/jobs/nix/transfers/x")]
    [Arguments("GET", "/jobs/nix?wait=10s")]
    [Arguments("GET", "/jobs/nix?wait=99999999h")]
    [Arguments("GET", "/jobs/nix?wait=1m0s")]
    [Arguments("DELETE", "/history/nix")]
    public async Task A_job_that_is_not_there_is_404(string method, string path, CancellationToken cancellationToken)
    {
        await using ApiServer server = await ApiServer.StartAsync();

        (HttpStatusCode status, JsonElement error, _) = await server.SendAsync(method, path, null, cancellationToken);

        await Assert.That(status).IsEqualTo(HttpStatusCode.NotFound);
        await Assert.That(error.GetProperty("error").GetString()).IsEqualTo("Job not found");
        await Assert.That(error.GetProperty("code").GetString()).IsEqualTo("NOT_FOUND");
    }

    [Test]
    [Arguments("GET", "/nowhere", 404, "NOT_FOUND")]
    [Arguments("GET", "/api/v9/x", 404, "NOT_FOUND")]
    [Arguments("PUT", "/jobs", 405, "INVALID_REQUEST")]
    [Arguments("POST", "/jobs/x", 405, "INVALID_REQUEST")]
    [Arguments("GET", "/stat", 405, "INVALID_REQUEST")]
    public async Task Unknown_paths_and_methods_are_answered_in_json(string method, string path, int expected, string code, CancellationToken cancellationToken)
    {
        await using ApiServer server = await ApiServer.StartAsync();

        (HttpStatusCode status, JsonElement error, _) = await server.SendAsync(method, path, null, cancellationToken);

        await Assert.That((int)status).IsEqualTo(expected);
        await Assert.That(error.GetProperty("code").GetString()).IsEqualTo(code);
        await Assert.That(error.GetProperty("error").GetString()!.Length).IsGreaterThan(0);
    }

    [Test]
    public async Task A_job_that_ended_cannot_be_cancelled(CancellationToken cancellationToken)
    {
        await using ApiServer server = await ApiServer.StartAsync();
        server.Federation.Origin.Store("/public/a", Content);
        string done = await server.CreateAsync(cancellationToken, server.Get("/public/a", "a"));
        string failed = await server.CreateAsync(cancellationToken, server.Get("/public/b", "b"));
        await server.EndAsync(done, cancellationToken);
        await server.EndAsync(failed, cancellationToken);

        (HttpStatusCode status, JsonElement error, _) = await server.SendAsync("DELETE", $"/jobs/{done}", null, cancellationToken);
        (HttpStatusCode second, JsonElement other, _) = await server.SendAsync("DELETE", $"/jobs/{failed}", null, cancellationToken);

        await Assert.That(status).IsEqualTo(HttpStatusCode.Conflict);
        await Assert.That(error.GetProperty("error").GetString()).IsEqualTo("Job already completed");
        await Assert.That(error.GetProperty("code").GetString()).IsEqualTo("CONFLICT");
        await Assert.That((second, other.GetProperty("error").GetString())).IsEqualTo((HttpStatusCode.Conflict, "Job already failed"));
        await Assert.That((await server.EndAsync(failed, cancellationToken)).GetProperty("status").GetString()).IsEqualTo("failed");
    }

    [Test]
    [Arguments("", 10, 0, 10, 12)]
    [Arguments("?limit=x&offset=y", 10, 0, 10, 12)]
    [Arguments("?limit=0&offset=-1", 10, 0, 10, 12)]
    [Arguments("?limit=1000", 100, 0, 12, 12)]
    [Arguments("?limit=5&offset=10", 5, 10, 2, 12)]
    [Arguments("?offset=50", 10, 50, 0, 12)]
    [Arguments("?status=failed&limit=20", 20, 0, 12, 12)]
    [Arguments("?status=failed,cancelled&limit=20", 20, 0, 12, 12)]
    [Arguments("?status=completed", 10, 0, 0, 0)]
    [Arguments("?status=Failed", 10, 0, 0, 0)]
    [Arguments("?from=2099-01-01t00:00:00.123456789z", 10, 0, 0, 0)]
    [Arguments("?to=2099-01-01T00:00:00%2B02:00&limit=100", 100, 0, 12, 12)]
    public async Task Lists_have_limits_and_filters(string query, int limit, int offset, int count, int total, CancellationToken cancellationToken)
    {
        await using ApiServer server = await ApiServer.StartAsync();
        for (int i = 0; i < 12; i++)
        {
            await server.EndAsync(await server.CreateAsync(cancellationToken, server.Get("/public/none", "a")), cancellationToken);
        }

        (HttpStatusCode status, JsonElement list, _) = await server.SendAsync("GET", "/jobs" + query, null, cancellationToken);

        await Assert.That(status).IsEqualTo(HttpStatusCode.OK);
        await Assert.That(list.GetProperty("jobs").GetArrayLength()).IsEqualTo(count);
        await Assert.That((list.GetProperty("total").GetInt32(), list.GetProperty("limit").GetInt32(), list.GetProperty("offset").GetInt32()))
            .IsEqualTo((total, limit, offset));
    }

    [Test]
    public async Task Cursors_lead_through_all_jobs(CancellationToken cancellationToken)
    {
        await using ApiServer server = await ApiServer.StartAsync();
        List<string> ids = [];
        for (int i = 0; i < 5; i++)
        {
            ids.Insert(0, await server.CreateAsync(cancellationToken, server.Get("/public/none", "a")));
        }

        List<string> seen = [];
        string? next = null;
        do
        {
            JsonElement list = (await server.SendAsync("GET", $"/jobs?limit=2&cursor={next}", null, cancellationToken)).Body;
            seen.AddRange(list.GetProperty("jobs").EnumerateArray().Select(j => j.GetProperty("job_id").GetString()!));
            next = list.TryGetProperty("next", out JsonElement cursor) ? cursor.GetString() : null;
        }
        while (next is not null);

        await Assert.That(seen).IsEquivalentTo(ids, TUnit.Assertions.Enums.CollectionOrdering.Matching);
    }

    [Test]
    [Arguments("GET", "/jobs?cursor=x", "cursor")]
    [Arguments("GET", "/jobs?from=yesterday", "Invalid from parameter (must be RFC3339 format)")]
    [Arguments("GET", "/jobs/x?wait=soon", "wait")]
    [Arguments("GET", "/jobs/x?wait=99999999999h", "wait")]
    [Arguments("GET", "/jobs/x?wait=1s&since=x", "since")]
    [Arguments("GET", "/history?limit=1001", "Invalid limit parameter (must be 1-1000)")]
    [Arguments("GET", "/history?limit=0", "Invalid limit parameter (must be 1-1000)")]
    [Arguments("GET", "/history?offset=-1", "Invalid offset parameter (must be >= 0)")]
    [Arguments("GET", "/history?to=2026-01-01", "Invalid to parameter (must be RFC3339 format)")]
    [Arguments("DELETE", "/history?older_than=2026-01-01T00:00:00", "Invalid older_than parameter (must be RFC3339 format)")]
    [Arguments("DELETE", "/history", "Must provide either job_id or older_than parameter")]
    public async Task Parameters_that_make_no_sense_are_400(string method, string path, string said, CancellationToken cancellationToken)
    {
        await using ApiServer server = await ApiServer.StartAsync();

        (HttpStatusCode status, JsonElement error, _) = await server.SendAsync(method, path, null, cancellationToken);

        await Assert.That(status).IsEqualTo(HttpStatusCode.BadRequest);
        await Assert.That(error.GetProperty("error").GetString()!).Contains(said);
    }

    [Test]
    public async Task One_transfer_can_be_asked_for(CancellationToken cancellationToken)
    {
        await using ApiServer server = await ApiServer.StartAsync();
        string id = await server.CreateAsync(cancellationToken, server.Get("/public/none", "a"), server.Get("/public/nil", "b"));
        JsonElement second = (await server.EndAsync(id, cancellationToken)).GetProperty("transfers")[1];

        (_, JsonElement transfer, _) = await server.SendAsync("GET", $"/jobs/{id}/transfers/{second.GetProperty("transfer_id").GetString()}", null, cancellationToken);
        (HttpStatusCode none, _, _) = await server.SendAsync("GET", $"/jobs/{id}/transfers/x", null, cancellationToken);

        await Assert.That(transfer.GetRawText()).IsEqualTo(second.GetRawText());
        await Assert.That(transfer.GetProperty("job_id").GetString()).IsEqualTo(id);
        await Assert.That(none).IsEqualTo(HttpStatusCode.NotFound);
    }

    [Test]
    public async Task Past_jobs_are_listed_by_the_names_of_todays_servers_and_removed(CancellationToken cancellationToken)
    {
        await using ApiServer server = await ApiServer.StartAsync();
        server.Federation.Origin.Store("/public/a", Content);
        string done = await server.CreateAsync(cancellationToken, server.Get("/public/a", "a"));
        await server.EndAsync(done, cancellationToken);
        string failed = await server.CreateAsync(cancellationToken, server.Get("/public/none", "b"));
        await server.EndAsync(failed, cancellationToken);

        JsonElement all = (await server.SendAsync("GET", "/history", null, cancellationToken)).Body;
        JsonElement some = (await server.SendAsync("GET", "/history?status=completed", null, cancellationToken)).Body;
        JsonElement removed = (await server.SendAsync("DELETE", $"/history/{done}", null, cancellationToken)).Body;
        JsonElement pruned = (await server.SendAsync("DELETE", "/history?older_than=2099-01-01T00:00:00Z", null, cancellationToken)).Body;
        JsonElement none = (await server.SendAsync("GET", "/history", null, cancellationToken)).Body;

        await Assert.That(all.GetProperty("jobs").EnumerateArray().Select(j => j.GetProperty("ID").GetString()!))
            .IsEquivalentTo([failed, done], TUnit.Assertions.Enums.CollectionOrdering.Matching);
        await Assert.That(some.GetProperty("total").GetInt32()).IsEqualTo(1);
        await Assert.That(some.GetProperty("jobs")[0].GetProperty("BytesTransferred").GetInt64()).IsEqualTo(Content.Length);
        await Assert.That(removed.GetProperty("message").GetString()).IsEqualTo("Job history deleted");
        await Assert.That(pruned.GetProperty("pruned").GetInt32()).IsEqualTo(1);
        await Assert.That(none.GetProperty("total").GetInt32()).IsEqualTo(0);
    }

    [Test]
    public async Task A_running_job_is_no_history(CancellationToken cancellationToken)
    {
        await using ApiServer server = await ApiServer.StartAsync();
        server.Federation.Origin.Store("/public/a", Content);
        Gate gate = new();
        server.Federation.Cache.Faults.Add("GET", "/public/a", FaultAction.Hold(gate));
        string id = await server.CreateAsync(cancellationToken, server.Get("/public/a", "a"));

        (HttpStatusCode status, JsonElement error, _) = await server.SendAsync("DELETE", $"/history/{id}", null, cancellationToken);
        gate.Open();

        await Assert.That(status).IsEqualTo(HttpStatusCode.Conflict);
        await Assert.That(error.GetProperty("code").GetString()).IsEqualTo("CONFLICT");
        await Assert.That((await server.EndAsync(id, cancellationToken)).GetProperty("status").GetString()).IsEqualTo("completed");
    }

    [Test]
    public async Task Objects_are_described_listed_and_deleted(CancellationToken cancellationToken)
    {
        await using ApiServer server = await ApiServer.StartAsync();
        server.Federation.Origin.Store("/demo/d/a", Content, DateTimeOffset.FromUnixTimeSeconds(1_700_000_000));
        server.Federation.Origin.Store("/demo/d/sub/b", Content);
        string body = $$"""{"url":"{{server.Url("/demo/d/a")}}"}""";

        JsonElement stat = (await server.SendAsync("POST", "/stat", body, cancellationToken)).Body;
        JsonElement list = (await server.SendAsync("POST", "/list", $$"""{"url":"{{server.Url("/demo/d")}}"}""", cancellationToken)).Body;
        (HttpStatusCode full, _, _) = await server.SendAsync("POST", "/delete", $$"""{"url":"{{server.Url("/demo/d")}}"}""", cancellationToken);
        JsonElement deleted = (await server.SendAsync("POST", "/delete", body, cancellationToken)).Body;
        (HttpStatusCode gone, JsonElement error, _) = await server.SendAsync("POST", "/stat", body, cancellationToken);

        await Assert.That(stat.GetProperty("name").GetString()).IsEqualTo("a");
        await Assert.That(stat.GetProperty("size").GetInt64()).IsEqualTo(Content.Length);
        await Assert.That(stat.GetProperty("is_collection").GetBoolean()).IsFalse();
        await Assert.That(stat.GetProperty("mod_time").GetString()).IsEqualTo("2023-11-14T22:13:20Z");
        await Assert.That(stat.GetProperty("checksums").GetProperty("crc32c").GetString()!.Length).IsEqualTo(8);
        await Assert.That(list.GetProperty("items").EnumerateArray().Select(i => (i.GetProperty("name").GetString()!, i.GetProperty("is_collection").GetBoolean())))
            .IsEquivalentTo([("a", false), ("sub", true)]);
        await Assert.That(full).IsEqualTo(HttpStatusCode.Conflict);
        await Assert.That(deleted.GetProperty("message").GetString()).IsEqualTo("Object deleted successfully");
        await Assert.That(deleted.GetProperty("url").GetString()).IsEqualTo(server.Url("/demo/d/a"));
        await Assert.That(File.Exists(server.Federation.Origin.FileOf("/demo/d/a"))).IsFalse();
        await Assert.That(gone).IsEqualTo(HttpStatusCode.NotFound);
        await Assert.That(error.GetProperty("code").GetString()).IsEqualTo("NOT_FOUND");
    }

    [Test]
    [Arguments("/stat", "{}", 400, "INVALID_REQUEST")]
    [Arguments("/stat", "{\"url\":\"nonsense\"}", 400, "INVALID_REQUEST")]
    [Arguments("/list", "{\"url\":\"\"}", 400, "INVALID_REQUEST")]
    [Arguments("/stat", "{\"url\":\"URL/public/none?recursive\"}", 400, "INVALID_REQUEST")]
    [Arguments("/delete", "{\"url\":\"URL/demo/none\",\"recursive\":true}", 404, "NOT_FOUND")]
    [Arguments("/stat", "{\"url\":\"URL/public/none\"}", 404, "NOT_FOUND")]
    [Arguments("/list", "{\"url\":\"URL/public/none\"}", 404, "NOT_FOUND")]
    [Arguments("/delete", "{\"url\":\"URL/demo/none\"}", 404, "NOT_FOUND")]
    [Arguments("/stat", "{\"url\":\"URL/protected/a\"}", 401, "UNAUTHORIZED")]
    [Arguments("/delete", "{\"url\":\"URL/protected/a\"}", 401, "UNAUTHORIZED")]
    [Arguments("/stat", "{\"url\":\"/public/none\"}", 404, "NOT_FOUND")]
    public async Task What_goes_wrong_with_an_object_is_said_truthfully(string path, string body, int expected, string code, CancellationToken cancellationToken)
    {
        await using ApiServer server = await ApiServer.StartAsync();
        server.Federation.Origin.Store("/protected/a", Content);

        (HttpStatusCode status, JsonElement error, _) =
            await server.SendAsync("POST", path, body.Replace("URL", server.Url(""), StringComparison.Ordinal), cancellationToken);

        await Assert.That((int)status).IsEqualTo(expected);
        await Assert.That(error.GetProperty("code").GetString()).IsEqualTo(code);
        await Assert.That(error.TryGetProperty("retryable", out _)).IsTrue();
    }

    [Test]
    public async Task A_tree_is_deleted(CancellationToken cancellationToken)
    {
        await using ApiServer server = await ApiServer.StartAsync();
        server.Federation.Origin.Store("/demo/d/a", Content);
        server.Federation.Origin.Store("/demo/d/sub/b", Content);

        (HttpStatusCode status, _, _) = await server.SendAsync("POST", "/delete", $$"""{"url":"{{server.Url("/demo/d")}}","recursive":true}""", cancellationToken);

        await Assert.That(status).IsEqualTo(HttpStatusCode.OK);
        await Assert.That(Directory.Exists(server.Federation.Origin.FileOf("/demo/d"))).IsFalse();
    }

    [Test]
    public async Task A_time_limit_is_504(CancellationToken cancellationToken)
    {
        await using ApiServer server = await ApiServer.StartAsync();
        server.Federation.Origin.Store("/public/a", Content);
        server.Federation.Origin.Faults.Add("PROPFIND", "/public/a", FaultAction.Answer(504));

        (HttpStatusCode status, JsonElement error, _) = await server.SendAsync("POST", "/stat", $$"""{"url":"{{server.Url("/public/a")}}"}""", cancellationToken);

        await Assert.That(status).IsEqualTo(HttpStatusCode.GatewayTimeout);
        await Assert.That(error.GetProperty("code").GetString()).IsEqualTo("TIMEOUT");
    }
}
