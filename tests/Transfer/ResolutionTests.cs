using System.Net.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Pelican.Federation;
using Pelican.Tests.Support;
using Pelican.Transfer;
using Director = Pelican.Transfer.Director;

namespace Pelican.Tests.Transfer;

/// <summary>What discovery and director answer, and what is made of it.</summary>
public sealed class ResolutionTests
{
    private const string WellKnown = "/.well-known/pelican-configuration";

    [Test]
    [Arguments(408)]
    [Arguments(429)]
    [Arguments(500)]
    [Arguments(502)]
    [Arguments(503)]
    [Arguments(504)]
    public async Task A_bad_moment_of_discovery_is_waited_for(int status, CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        federation.Origin.Store("/public/a", [1]);
        federation.Director.Faults.Add("GET", WellKnown, FaultAction.Answer(status), times: 2);

        ObjectInfo info = await client.StatAsync("/public/a", cancellationToken);

        await Assert.That(info.Size).IsEqualTo(1);
    }

    [Test]
    [Arguments(429)]
    [Arguments(503)]
    public async Task A_discovery_that_goes_on_failing_is_a_matter_of_time(int status, CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        federation.Director.Faults.Add("GET", WellKnown, FaultAction.Answer(status));

        PelicanException error = await Expect.FailureAsync(client.StatAsync("/public/a", cancellationToken));

        await Assert.That((error.Row, error.Retryable)).IsEqualTo((Errors.ResolutionConnection, true));
    }

    [Test]
    [Timeout(60_000)]
    public async Task A_discovery_that_falls_silent_in_its_document_ends(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation, new ClientSettings { ResponseHeaderTimeout = TimeSpan.FromMilliseconds(300) });
        Gate gate = new();
        federation.Director.Faults.Add("GET", WellKnown, FaultAction.Hold(gate));

        PelicanException error = await Expect.FailureAsync(client.StatAsync("/public/a", cancellationToken));

        await Assert.That((error.Row, error.Retryable)).IsEqualTo((Errors.ResolutionTimeout, true));
    }

    [Test]
    public async Task A_failure_of_discovery_is_forgotten_within_seconds(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        FakeTimeProvider clock = new(DateTimeOffset.UtcNow);
        using TestClient client = new(federation, clock: clock);
        federation.Origin.Store("/public/a", [1]);
        federation.Director.Faults.Add("GET", WellKnown, FaultAction.Answer(404), times: 1);

        PelicanException error = await Expect.FailureAsync(client.StatAsync("/public/a", cancellationToken));
        clock.Advance(TimeSpan.FromSeconds(2));
        ObjectInfo info = await client.StatAsync("/public/a", cancellationToken);

        await Assert.That((error.Row, error.Retryable)).IsEqualTo((Errors.Resolution, false));
        await Assert.That(info.Size).IsEqualTo(1);
    }

    [Test]
    public async Task Many_at_once_ask_discovery_once(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        federation.Origin.Store("/public/a", [1]);

        await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => Task.Run(() => client.StatAsync("/public/a", cancellationToken), cancellationToken)));

        await Assert.That(federation.Director.Requests.Count(request => request.Path == WellKnown)).IsEqualTo(1);
    }

    [Test]
    public async Task A_host_that_does_not_exist_is_known_from_one_that_does_not_resolve_now()
    {
        PelicanException gone = Faults.FromTransport(
            new HttpRequestException(HttpRequestError.NameResolutionError, "x", new SocketException((int)SocketError.HostNotFound)), "fed.example");
        PelicanException passing = Faults.FromTransport(
            new HttpRequestException(HttpRequestError.NameResolutionError, "x", new SocketException((int)SocketError.TryAgain)), "fed.example");

        await Assert.That(Faults.SocketErrorOf(gone)).IsEqualTo(SocketError.HostNotFound);
        await Assert.That(Faults.SocketErrorOf(passing)).IsEqualTo(SocketError.TryAgain);
    }

    [Test]
    public async Task Who_waits_for_a_director_shares_its_failure(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation, new ClientSettings { DirectorRetries = 2 });
        federation.Director.Faults.Add(new Fault(request => request.Method == "PUT", FaultAction.Answer(503)));
        client.Write("a", [1]);

        PelicanException[] failures = await Task.WhenAll(Enumerable.Range(0, 5).Select(i =>
            Expect.FailureAsync(client.PutAsync("a", $"/demo/{i}", cancellationToken))));

        await Assert.That(failures.All(e => e.Row == Errors.Director && e.Retryable)).IsTrue();
        await Assert.That(federation.Director.Requests.Count(request => request.Method == "PUT")).IsEqualTo(2);
    }

    [Test]
    [Arguments(301)]
    [Arguments(302)]
    [Arguments(303)]
    public async Task A_director_that_leads_to_a_page_has_no_such_namespace(int status, CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        federation.Director.Faults.Add(new Fault(request => request.Path == "/", FaultAction.Answer(status, "<a href=\"/view/\">See Other</a>", ("Location", "/view/"))));

        PelicanException error = await Expect.FailureAsync(client.ListAsync("/", cancellationToken));

        await Assert.That(error.ExitStatus).IsEqualTo(8);
        await Assert.That(error.Message).DoesNotContain("<a");
        await Assert.That(error.NextStep!).Contains("namespace");
    }

    [Test]
    public async Task What_no_origin_permits_is_said_in_short(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync(new() { Namespaces = [new("/read") { Writes = false, DirectReads = false }] });
        using TestClient client = new(federation);
        federation.Origin.Store("/read/a", [1]);
        client.Write("a", [1]);

        PelicanException get = await Expect.FailureAsync(client.GetAsync("/read/a?directread", "x", cancellationToken));
        PelicanException put = await Expect.FailureAsync(client.PutAsync("a", "/read/b", cancellationToken));
        PelicanException delete = await Expect.FailureAsync(client.DeleteAsync("/read/a", cancellationToken));

        await Assert.That((put.ExitStatus, put.Message)).IsEqualTo((8, "no origin of '/read/b' permits writing"));
        await Assert.That((delete.ExitStatus, delete.Message)).IsEqualTo((8, "no origin of '/read/a' permits writing"));
        await Assert.That(get.ExitStatus).IsEqualTo(8);
    }

    [Test]
    public async Task Collections_of_two_origins_are_seen(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync(
            new() { Origins = [Dialect.Pelican, Dialect.Pelican], Caches = [Dialect.Pelican] });
        using TestClient client = new(federation);
        federation.Origin.Store("/public/dir/a", [1]);
        federation.Director.Faults.Add(new Fault(request => request.Method is "GET" && request.Path == "/public/dir", FaultAction.Answer(404, "No sources reported possession of the object")));

        ObjectInfo info = await client.StatAsync("/public/dir", cancellationToken);
        IReadOnlyList<ObjectInfo> listing = await client.ListAsync("/public/dir", cancellationToken);
        TreeResult tree = await client.GetTreeAsync("/public/dir", "got", cancellationToken);

        await Assert.That(info.IsCollection).IsTrue();
        await Assert.That(listing.Select(one => one.Path)).IsEquivalentTo(["/public/dir/a"]);
        await Assert.That((tree.Objects, tree.Failure?.Message)).IsEqualTo((1, null));
    }

    [Test]
    public async Task Answers_for_many_tokens_do_not_pile_up(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        (Director director, HttpStack http) = MakeDirector(federation);
        for (int i = 0; i < 1500; i++)
        {
            await director.AskAsync(Of(federation), new DirectorQuestion(HttpMethod.Get, Url(federation, "/public/a?skipstat"), false, $"opaque-{i}"), false, cancellationToken);
        }

        http.Dispose();
        await Assert.That(director.Remembered).IsLessThan(600);
    }

    [Test]
    public async Task A_namespace_that_has_answered_may_be_restarting(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        (Director director, HttpStack http) = MakeDirector(federation);
        DirectorQuestion question = new(HttpMethod.Get, Url(federation, "/public/a?skipstat"), false, null);
        await director.AskAsync(Of(federation), question, false, cancellationToken);
        federation.Namespaces.Remove("/public");

        PelicanException known = await Expect.FailureAsync(director.AskAsync(Of(federation), question, true, cancellationToken));
        PelicanException unknown = await Expect.FailureAsync(director.AskAsync(Of(federation), question with { Url = Url(federation, "/other/a") }, true, cancellationToken));

        http.Dispose();
        await Assert.That((known.Row, known.ExitStatus, known.ServersMayBeDown)).IsEqualTo((Errors.NotFound, 8, true));
        await Assert.That((unknown.Row, unknown.ExitStatus, unknown.ServersMayBeDown)).IsEqualTo((Errors.NotFound, 8, false));
    }

    private static (Director, HttpStack) MakeDirector(TestFederation federation)
    {
        ClientSettings settings = new() { CaCertificateFile = federation.CaFile, RetryDelay = TimeSpan.FromMilliseconds(1) };
        HttpStack http = new(settings, TimeProvider.System, new Random(1), NullLogger.Instance);
        return (new Director(http, settings, TimeProvider.System), http);
    }

    private static Pelican.Transfer.Federation Of(TestFederation federation) => new(new Uri(federation.DiscoveryUrl), new Uri(federation.DiscoveryUrl));

    private static ObjectUrl Url(TestFederation federation, string path) => ObjectUrl.Parse($"pelican://{federation.DiscoveryHost}{path}", new ClientSettings());
}
