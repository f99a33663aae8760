using Pelican.Federation;

namespace Pelican.Tests.FederationTests;

/// <summary>Faults as a client sees them.</summary>
public sealed class FaultTests
{
    private const string Path = "/public/f";
    private static readonly (string, string)[] AskTrailer = [("TE", "trailers"), ("X-Transfer-Status", "true")];

    [Test]
    public async Task An_answer_is_replaced_as_often_as_said(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await StartAsync();
        Fault fault = federation.Origin.Faults.Add("GET", Path, FaultAction.Throttle("cache_overloaded", 3), times: 1);

        Answer first = await GetAsync(federation, cancellationToken);
        Answer second = await GetAsync(federation, cancellationToken);

        await Assert.That(first.Status).IsEqualTo(429);
        await Assert.That(first.Headers).Contains("Retry-After: 3");
        await Assert.That(first.Body).Contains("\"error\":\"cache_overloaded\"");
        await Assert.That(second.Body).IsEqualTo("abcdef");
        await Assert.That(fault.Hits).IsEqualTo(1);
    }

    [Test]
    [Arguments(Ending.Close)]
    [Arguments(Ending.Reset)]
    [Arguments(Ending.Orderly)]
    public async Task A_body_is_cut(Ending ending, CancellationToken cancellationToken)
    {
        await using TestFederation federation = await StartAsync();
        federation.Origin.Faults.Add("GET", Path, FaultAction.CutAfter(2, ending));
        using RawClient client = await RawClient.ConnectAsync(federation.Origin.Url, cancellationToken);

        await client.SendAsync($"GET {Path} HTTP/1.1\n\n", cancellationToken);
        string answer = await client.ReadToEndAsync(cancellationToken);

        await Assert.That(answer).Contains("Content-Length: 6\r\n").And.EndsWith(ending == Ending.Reset ? "\r\n\r\nab<reset>" : "\r\n\r\nab");
    }

    [Test]
    public async Task A_cut_chunked_body_can_be_well_formed_with_the_failure_in_the_trailer(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await StartAsync();
        federation.Origin.Faults.Add("GET", Path, FaultAction.FailInTrailer("500: Stopping request", 3), 1);

        Answer failed = await GetAsync(federation, cancellationToken, AskTrailer);
        federation.Origin.Faults.Add("GET", Path, FaultAction.NoTrailer(), 1);
        Answer silent = await GetAsync(federation, cancellationToken, AskTrailer);

        await Assert.That((failed.Status, failed.Body)).IsEqualTo((200, "abc"));
        await Assert.That(failed.Trailers).Contains("X-Transfer-Status: 500: Stopping request");
        await Assert.That((silent.Body, silent.Trailers)).IsEqualTo(("abcdef", ""));
    }

    [Test]
    public async Task A_body_drips_as_the_gate_allows(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await StartAsync();
        Gate gate = new(1);
        federation.Origin.Faults.Add("GET", Path, FaultAction.Hold(gate));
        using RawClient client = await RawClient.ConnectAsync(federation.Origin.Url, cancellationToken);

        await client.SendAsync($"GET {Path} HTTP/1.1\n\n", cancellationToken);
        await gate.Blocked.WaitAsync(cancellationToken);
        Request request = await federation.Origin.WaitForRequestAsync(request => request.Is("GET", Path), cancellationToken);
        await Assert.That(request.BytesSent).IsEqualTo(1);
        gate.Allow(2);
        await gate.Blocked.WaitAsync(cancellationToken);
        await Assert.That(request.BytesSent).IsEqualTo(3);
        gate.Open();

        await Assert.That(await client.ReadUntilAsync("abcdef", cancellationToken)).EndsWith("\r\n\r\nabcdef");
    }

    [Test]
    public async Task Bytes_ranges_and_headers_lie(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await StartAsync();
        FaultList faults = federation.Origin.Faults;
        faults.Add("GET", Path, FaultAction.FlipByte(1), 1);
        Answer flipped = await GetAsync(federation, cancellationToken);
        faults.Add("GET", Path, FaultAction.Header("Content-Range", "bytes 0-1/6"), 1);
        Answer wrongRange = await GetAsync(federation, cancellationToken, ("Range", "bytes=2-3"));
        faults.Add("GET", Path, FaultAction.IgnoreRange(), 1);
        Answer whole = await GetAsync(federation, cancellationToken, ("Range", "bytes=2-3"));
        faults.Add("GET", Path, FaultAction.EmptyObject(), 1);
        Answer empty = await GetAsync(federation, cancellationToken);
        faults.Add("GET", Path, FaultAction.ErrorAnswerAsBody(), 1);
        Answer error = await GetAsync(federation, cancellationToken, ("Range", "bytes=0-5"));

        await Assert.That(flipped.Body).IsNotEqualTo("abcdef");
        await Assert.That(flipped.Body).StartsWith("a").And.EndsWith("cdef");
        await Assert.That(wrongRange.Headers).Contains("Content-Range: bytes 0-1/6");
        await Assert.That((whole.Status, whole.Body)).IsEqualTo((200, "abcdef"));
        await Assert.That((empty.Status, empty.Body)).IsEqualTo((200, ""));
        await Assert.That((error.Status, error.Body)).IsEqualTo((206, "HTTP/1"));
    }

    [Test]
    public async Task A_promise_of_length_can_be_too_long(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await StartAsync();
        federation.Origin.Faults.Add("GET", Path, FaultAction.Header("Content-Length", "10"));
        using RawClient client = await RawClient.ConnectAsync(federation.Origin.Url, cancellationToken);

        await client.SendAsync($"GET {Path} HTTP/1.1\n\n", cancellationToken);
        string answer = await client.ReadToEndAsync(cancellationToken);

        await Assert.That(answer).Contains("Content-Length: 10\r\n").And.EndsWith("\r\n\r\nabcdef");
    }

    [Test]
    public async Task The_answer_to_a_PUT_that_was_done_can_be_lost(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await StartAsync();
        federation.Origin.Faults.Add("PUT", "/demo/x", FaultAction.LoseAnswer());

        await Assert.That(async () => await federation.AskAsync("PUT", federation.Origin.Url + "/demo/x", cancellationToken, "done"))
            .Throws<HttpRequestException>();

        await Assert.That(await File.ReadAllTextAsync(federation.Origin.FileOf("/demo/x"), cancellationToken)).IsEqualTo("done");
    }

    [Test]
    public async Task Idle_and_unused_connections_are_closed(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await StartAsync();
        using RawClient unused = await RawClient.ConnectAsync(federation.Origin.Url, cancellationToken);
        using RawClient used = await RawClient.ConnectAsync(federation.Origin.Url, cancellationToken);
        await used.SendAsync($"GET {Path} HTTP/1.1\n\n", cancellationToken);
        await used.ReadUntilAsync("abcdef", cancellationToken);
        await federation.Origin.WaitForIdleAsync(cancellationToken);

        federation.Origin.CloseUnusedConnections();
        await Assert.That(await unused.ReadToEndAsync(cancellationToken)).IsEqualTo("<reset>");
        await used.SendAsync($"GET {Path} HTTP/1.1\n\n", cancellationToken);
        string second = await used.ReadUntilAsync("abcdef", cancellationToken);
        await federation.Origin.WaitForIdleAsync(cancellationToken);
        federation.Origin.CloseIdleConnections();

        await Assert.That(second).StartsWith("HTTP/1.1 200 OK");
        await Assert.That(await used.ReadToEndAsync(cancellationToken)).IsEqualTo("<reset>");
    }

    [Test]
    public async Task A_third_party_copy_can_end_without_a_verdict_or_stall_among_markers(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await StartAsync();
        string url = federation.Origin.Url + "/demo/copy";
        federation.Origin.Faults.Add("COPY", "/demo/copy", FaultAction.CopyStream(202, null, 0, 0), 1);
        Answer silent = await federation.AskAsync("COPY", url, cancellationToken);
        Gate gate = new(20);
        federation.Origin.Faults.Add("COPY", "/demo/copy", FaultAction.CopyStream(201, "failure: no bytes", 0));
        federation.Origin.Faults.Add("COPY", "/demo/copy", FaultAction.Hold(gate));
        Task<Answer> stalled = federation.AskAsync("COPY", url, cancellationToken);
        await gate.Blocked.WaitAsync(cancellationToken);
        gate.Open();

        await Assert.That((silent.Status, silent.Body.Split("Perf Marker").Length)).IsEqualTo((202, 3));
        await Assert.That(silent.Body).EndsWith("End\n");
        await Assert.That((await stalled).Body).EndsWith("failure: no bytes");
    }

    [Test]
    public async Task A_client_is_sent_to_another_host_and_told_where_tokens_come_from(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await StartAsync();
        federation.Origin.Faults.Add("GET", Path, FaultAction.Redirect(new Uri(federation.Origin.UrlByAddress + Path)), 1);
        Answer redirect = await GetAsync(federation, cancellationToken);
        federation.Origin.Faults.Add("GET", Path, FaultAction.TokenHint(401, "/public", new Uri(federation.Issuer.Url)), 1);
        Answer hint = await GetAsync(federation, cancellationToken);

        await Assert.That(redirect.Headers).Contains($"Location: http://127.0.0.1:{new Uri(federation.Origin.Url).Port}{Path}");
        await Assert.That(hint.Headers).Contains("X-Pelican-Namespace: namespace=/public, require-token=true");
        await Assert.That(hint.Headers).Contains($"X-Pelican-Authorization: issuer={federation.Issuer.Url}");
    }

    [Test]
    public async Task A_scripted_server_writes_what_no_server_should(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await StartAsync();
        ScriptedServer server = federation.AddServer((_, _) => Task.FromResult(new Reply(200)
        {
            Raw = (stream, token) => stream.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"u8.ToArray(), token).AsTask(),
        }));

        Answer answer = await federation.AskAsync("GET", server.Url + "/any", cancellationToken);

        await Assert.That(answer.Body).IsEqualTo("hi");
    }

    private static async Task<TestFederation> StartAsync()
    {
        TestFederation federation = await TestFederation.StartAsync(new() { Caches = [], Tls = false });
        federation.Origin.Store(Path, "abcdef");
        return federation;
    }

    private static Task<Answer> GetAsync(TestFederation federation, CancellationToken cancellationToken, params (string, string)[] headers) =>
        federation.AskAsync("GET", federation.Origin.Url + Path, cancellationToken, null, headers);
}
