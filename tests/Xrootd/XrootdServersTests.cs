using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Security.Cryptography;
using Pelican.Tests.Support;

namespace Pelican.Tests.Xrootd;

[ClassDataSource<XrootdServers>(Shared = SharedType.PerTestSession)]
public sealed class XrootdServersTests(XrootdServers servers)
{
    private static readonly byte[] Content = "seven seas"u8.ToArray();

    [Test]
    [Arguments(XrootdServer.Http)]
    [Arguments(XrootdServer.Https)]
    [Arguments(XrootdServer.Https2)]
    [Arguments(XrootdServer.Cache)]
    [Arguments(XrootdServer.Cache2)]
    public async Task Every_server_serves_what_is_public(XrootdServer server, CancellationToken cancellationToken)
    {
        XrootdServer origin = server is XrootdServer.Cache or XrootdServer.Cache2 ? XrootdServer.Https : server;
        await servers.PutAsync(origin, $"public/{server}/a.txt", Content, cancellationToken);
        using HttpClient client = servers.CreateClient();

        byte[] answer = await client.GetByteArrayAsync(
            new Uri(servers.Url(server), $"/public/{server}/a.txt"), cancellationToken);

        await Assert.That(answer.SequenceEqual(Content)).IsTrue();
    }

    [Test]
    public async Task The_issuer_serves_its_discovery_document(CancellationToken cancellationToken)
    {
        using HttpClient client = servers.CreateClient();

        string document = await client.GetStringAsync(
            new Uri(servers.IssuerUrl, "/.well-known/openid-configuration"), cancellationToken);

        await Assert.That(document).Contains($"\"issuer\": \"{servers.IssuerUrl.OriginalString}\"");
    }

    [Test]
    [Arguments(XrootdServer.Issuer)]
    [Arguments(XrootdServer.Http)]
    [Arguments(XrootdServer.Https)]
    [Arguments(XrootdServer.Cache)]
    public async Task No_other_address_is_listened_on(XrootdServer server, CancellationToken cancellationToken)
    {
        await Assert.That(() =>
            ConnectAsync(IPAddress.Parse("127.0.0.2"), servers.Url(server).Port, cancellationToken))
            .Throws<SocketException>();
    }

    [Test]
    [Arguments(XrootdToken.Read, 200, 403)]
    [Arguments(XrootdToken.Write, 200, 201)]
    [Arguments(XrootdToken.CreateOnly, 403, 201)]
    [Arguments(XrootdToken.Subdir, 403, 403)]
    [Arguments(XrootdToken.Expired, 403, 403)]
    [Arguments(XrootdToken.NotYet, 403, 403)]
    [Arguments(XrootdToken.WrongScope, 403, 403)]
    [Arguments(XrootdToken.WrongIssuer, 403, 403)]
    [Arguments(XrootdToken.WrongAudience, 403, 403)]
    [Arguments(XrootdToken.BadSignature, 403, 403)]
    public async Task A_token_permits_what_its_name_says(
        XrootdToken token, int read, int created, CancellationToken cancellationToken)
    {
        await servers.PutAsync(XrootdServer.Https, $"protected/{token}/a.txt", Content, cancellationToken);
        using HttpClient client = servers.CreateClient();
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", servers.Token(token));

        foreach (Uri server in (Uri[])[servers.Https, servers.Cache])
        {
            using HttpResponseMessage get = await client.GetAsync(
                new Uri(server, $"/protected/{token}/a.txt"), cancellationToken);
            await Assert.That((int)get.StatusCode).IsEqualTo(read);
        }

        using ByteArrayContent body = new(Content);
        using HttpResponseMessage put = await client.PutAsync(
            new Uri(servers.Https, $"/protected/{token}/new.txt"), body, cancellationToken);
        // 5.5 says 200 for a new object.
        await Assert.That(put.StatusCode == HttpStatusCode.OK ? 201 : (int)put.StatusCode).IsEqualTo(created);
    }

    [Test]
    public async Task A_token_can_be_made_to_measure(CancellationToken cancellationToken)
    {
        await servers.PutAsync(XrootdServer.Https, "protected/mine/a.txt", Content, cancellationToken);
        string token = await servers.MakeTokenAsync(["--scope", "storage.read:/mine"], cancellationToken);
        using HttpClient client = servers.CreateClient();
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);

        byte[] answer = await client.GetByteArrayAsync(
            new Uri(servers.Https, "/protected/mine/a.txt"), cancellationToken);

        await Assert.That(answer.SequenceEqual(Content)).IsTrue();
    }

    [Test]
    public async Task An_object_put_on_disk_belongs_to_the_server(CancellationToken cancellationToken)
    {
        string file = await servers.PutAsync(XrootdServer.Https, "open/a/b/c.txt", Content, cancellationToken);
        using HttpClient client = servers.CreateClient();
        using StringContent other = new("changed");

        using HttpResponseMessage put = await client.PutAsync(
            new Uri(servers.Https, "/open/a/b/c.txt"), other, cancellationToken);
        await Assert.That(put.IsSuccessStatusCode).IsTrue();
        await Assert.That(await File.ReadAllTextAsync(file, cancellationToken)).IsEqualTo("changed");

        using HttpResponseMessage delete = await client.DeleteAsync(
            new Uri(servers.Https, "/open/a/b/c.txt"), cancellationToken);
        await Assert.That(delete.IsSuccessStatusCode).IsTrue();
        await Assert.That(File.Exists(file)).IsFalse();
    }

    [Test]
    public async Task A_cache_goes_on_serving_what_its_origin_lost(CancellationToken cancellationToken)
    {
        byte[] content = RandomNumberGenerator.GetBytes(1_000_000);
        string file = await servers.PutAsync(XrootdServer.Https, "public/lost.bin", content, cancellationToken);
        using HttpClient client = servers.CreateClient();
        Uri cached = new(servers.Cache, "/public/lost.bin");
        byte[] first = await client.GetByteArrayAsync(cached, cancellationToken);
        File.Delete(file);

        byte[] second = await client.GetByteArrayAsync(cached, cancellationToken);

        await Assert.That(first.SequenceEqual(content)).IsTrue();
        await Assert.That(second.SequenceEqual(content)).IsTrue();
    }

    [Test]
    [Arguments(XrootdServer.Http)]
    [Arguments(XrootdServer.Https)]
    public async Task A_log_tells_what_was_asked_and_how_many_bytes_were_sent(
        XrootdServer server, CancellationToken cancellationToken)
    {
        await servers.PutAsync(server, "public/log.bin", new byte[5_000_000], cancellationToken);
        using HttpClient client = servers.CreateClient();
        Uri url = new(servers.Url(server), "/public/log.bin");
        await client.GetByteArrayAsync(url, cancellationToken);
        using HttpRequestMessage part = new(HttpMethod.Get, url) { Headers = { Range = new RangeHeaderValue(5, 10) } };
        using HttpResponseMessage answer = await client.SendAsync(part, cancellationToken);
        using HttpRequestMessage chunked = new(HttpMethod.Get, url)
        {
            Headers = { { "TE", "trailers" }, { "X-Transfer-Status", "true" } },
        };
        using HttpResponseMessage whole = await client.SendAsync(chunked, cancellationToken);
        using HttpResponseMessage missing = await client.GetAsync(new Uri(url, "log-none"), cancellationToken);

        IReadOnlyList<XrootdRequest> requests = await servers.ReadRequestsAsync(server, cancellationToken);

        XrootdRequest[] expected =
        [
            new("GET", "/public/log.bin", null, 200, 5_000_000),
            new("GET", "/public/log.bin", "bytes=5-10", 206, 6),
            new("GET", "/public/log.bin", null, 200, 5_000_000),
        ];
        await Assert.That(requests.Where(request => request.Target == expected[0].Target).SequenceEqual(expected))
            .IsTrue();
        await Assert.That(requests.Single(request => request.Target == "/public/log-none").Status).IsEqualTo(404);
    }

    [Test]
    public async Task A_server_comes_back_on_its_port(CancellationToken cancellationToken)
    {
        await using XrootdServers own = await XrootdServers.StartAsync(cancellationToken);
        await own.PutAsync(XrootdServer.Https2, "public/a.txt", Content, cancellationToken);
        Uri url = new(own.Https2, "/public/a.txt");
        using HttpClient client = own.CreateClient();

        await own.StopServerAsync(XrootdServer.Https2, kill: false, cancellationToken);
        await Assert.That(async () => { await client.GetByteArrayAsync(url, cancellationToken); })
            .Throws<HttpRequestException>();

        await own.StartServerAsync(XrootdServer.Https2, cancellationToken);
        await Assert.That((await client.GetByteArrayAsync(url, cancellationToken)).SequenceEqual(Content)).IsTrue();
    }

    [Test]
    public async Task A_cache_can_die_in_the_middle_of_a_transfer(CancellationToken cancellationToken)
    {
        await using XrootdServers own = await XrootdServers.StartAsync(cancellationToken);
        byte[] content = RandomNumberGenerator.GetBytes(64 << 20); // more than socket buffers hold
        await own.PutAsync(XrootdServer.Https, "public/large.bin", content, cancellationToken);
        Uri url = new(own.Cache, "/public/large.bin");
        using HttpClient client = own.CreateClient();
        await using Stream body = await client.GetStreamAsync(url, cancellationToken);
        await body.ReadExactlyAsync(new byte[1000], cancellationToken);

        await own.StopServerAsync(XrootdServer.Cache, kill: true, cancellationToken);
        await Assert.That(() => body.CopyToAsync(Stream.Null, cancellationToken)).Throws<IOException>();

        await own.StartServerAsync(XrootdServer.Cache, cancellationToken);
        await Assert.That((await client.GetByteArrayAsync(url, cancellationToken)).SequenceEqual(content)).IsTrue();
    }

    [Test]
    public async Task Nothing_stays_behind_a_disposal(CancellationToken cancellationToken)
    {
        XrootdServers own = await XrootdServers.StartAsync(cancellationToken);

        await own.DisposeAsync();

        await Assert.That(Directory.Exists(own.DataDirectory(XrootdServer.Http))).IsFalse();
        foreach (XrootdServer server in Enum.GetValues<XrootdServer>())
        {
            await Assert.That(() => ConnectAsync(IPAddress.Loopback, own.Url(server).Port, cancellationToken))
                .Throws<SocketException>();
        }
    }

    [Test]
    public async Task Servers_end_with_the_process_that_owns_them(CancellationToken cancellationToken)
    {
        using Process owner = Process.Start(new ProcessStartInfo("cat") { RedirectStandardInput = true })!;
        await using XrootdServers own = await XrootdServers.StartAsync(owner.Id, cancellationToken);
        using Process server = Process.GetProcessById(own.ProcessId(XrootdServer.Https));

        owner.Kill();

        await server.WaitForExitAsync(cancellationToken);
    }

    private static async Task ConnectAsync(IPAddress address, int port, CancellationToken cancellationToken)
    {
        using Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(address, port, cancellationToken);
    }
}
