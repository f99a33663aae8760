using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;
using Pelican.Transfer;

namespace Pelican.Tests.Transfer;

public sealed class FaultsTests
{
    private static readonly ObjectPath Path = ObjectPath.FromPlain("/ns/o");

    [Test]
    [Arguments("", "")]
    [Arguments("plain", "plain")]
    [Arguments("Unable to open /a; permission denied\n", "Unable to open /a; permission denied")]
    [Arguments("two\r\nlines\n\n\there", "two lines here")]
    [Arguments(" \n a  b \0 c ", "a b c")]
    [Arguments("\u001b[31mred\u001b[0m", "[31mred [0m")]
    [Arguments("bell\a del\u007f csi\u009b31m", "bell del csi 31m")]
    [Arguments("a\u2028b\u2029c", "a b c")]
    [Arguments("it&apos;s &lt;here&gt; &amp; &quot;there&quot;", "it's <here> & \"there\"")]
    [Arguments("&#27;[2J&#10;x&#0;", "[2J x")]
    [Arguments("safe \u202e desrever \u2066x", "safe desrever x")]
    [Arguments("naïve ☃ 😀", "naïve ☃ 😀")]
    public async Task A_text_of_a_peer_is_made_fit_for_a_line(string text, string expected)
    {
        await Assert.That(Faults.Clean(text)).IsEqualTo(expected);
    }

    [Test]
    [Arguments(511, 511)]
    [Arguments(512, 512)]
    [Arguments(513, 513)]
    [Arguments(1_000_000, 513)]
    public async Task A_long_text_is_cut_and_says_so(int length, int shown)
    {
        string clean = Faults.Clean(new string('x', length));

        await Assert.That(clean.Length).IsEqualTo(shown);
        await Assert.That(clean.EndsWith('…')).IsEqualTo(length > 512);
    }

    [Test]
    public async Task A_letter_of_two_halves_is_not_cut_in_two()
    {
        await Assert.That(Faults.Clean("x" + string.Concat(Enumerable.Repeat("😀", 300)))).EndsWith("😀…");
    }

    [Test]
    [MethodDataSource(nameof(Broken))]
    public async Task A_broken_exchange_has_its_row_and_names_the_server(string row, string text, bool bodyStarted, Exception exception)
    {
        PelicanException error = Faults.FromTransport(exception, "c.example:8443", bodyStarted);

        await Assert.That(Faults.IsTransport(exception)).IsTrue();
        await Assert.That(error.Row.Name).IsEqualTo(row);
        await Assert.That(error.Message).Contains(text);
        await Assert.That(error.Message).Contains("c.example:8443");
        await Assert.That(error.InnerException).IsSameReferenceAs(exception);
        await Assert.That(error.Retryable).IsEqualTo(row is not ("Contact.Certificate" or "Transfer.Protocol"));
    }

    public static IEnumerable<Func<(string Row, string Text, bool BodyStarted, Exception Exception)>> Broken() =>
        Exchanges.Select(exchange => new Func<(string, string, bool, Exception)>(() => exchange));

    private static (string Row, string Text, bool BodyStarted, Exception Exception)[] Exchanges { get; } =
    [
        ("Contact.ConnectionSetup", "does not resolve", false, new HttpRequestException(HttpRequestError.NameResolutionError, "x")),
        ("Contact.ConnectionSetup", "does not resolve", false, Request(HttpRequestError.ConnectionError, Socket(SocketError.HostNotFound))),
        ("Contact.ConnectionSetup", "does not resolve", false, Request(HttpRequestError.ConnectionError, Socket(SocketError.TryAgain))),
        ("Contact.ConnectionSetup", "refused", false, Request(HttpRequestError.ConnectionError, Socket(SocketError.ConnectionRefused))),
        ("Contact.ConnectionSetup", "too long", false, Request(HttpRequestError.ConnectionError, Socket(SocketError.TimedOut))),
        ("Contact.ConnectionSetup", "no route", false, Request(HttpRequestError.ConnectionError, Socket(SocketError.NetworkUnreachable))),
        ("Contact.ConnectionSetup", "no route", false, Request(HttpRequestError.ConnectionError, Socket(SocketError.HostUnreachable))),
        ("Contact.ConnectionSetup", "too many files open", false, Request(HttpRequestError.ConnectionError, Socket(SocketError.TooManyOpenSockets))),
        ("Contact.ConnectionSetup", "proxy", false, Request(HttpRequestError.ProxyTunnelError, null)),
        ("Contact.ConnectionSetup", "alert", false, Request(HttpRequestError.SecureConnectionError,
            new AuthenticationException("see inner", new IOException("alert\nhandshake failure")))),
        ("Contact.Certificate", "expired", false, Request(HttpRequestError.SecureConnectionError, new AuthenticationException("it is expired"))),
        ("Contact.ConnectionReset", "broke", false, new HttpRequestException("x", new IOException("y", Socket(SocketError.ConnectionReset)))),
        ("Contact.ConnectionReset", "broke", true, new IOException("y", Socket(SocketError.ConnectionReset))),
        ("Contact.ConnectionReset", "broke", true, new IOException("y", Socket(SocketError.Shutdown))),
        ("Contact.ConnectionReset", "without an answer", false, Request(HttpRequestError.ResponseEnded, null)),
        ("Contact.ConnectionReset", "early", true, new HttpIOException(HttpRequestError.ResponseEnded)),
        ("Transfer.Protocol", "bad line", false, Request(HttpRequestError.InvalidResponse, new IOException("bad\r\nline"))),
        ("Transfer", "chunk", true, new HttpIOException(HttpRequestError.InvalidResponse, "bad chunk")),
    ];

    [Test]
    [Arguments(28, "Local.NoSpace", "space")]
    [Arguments(122, "Local.NoSpace", "quota")]
    [Arguments(30, "Local.PermissionDenied", "read-only")]
    [Arguments(36, "Local", "too long")]
    [Arguments(27, "Local", "larger than a file may be")]
    [Arguments(20, "Local", "not a directory")]
    [Arguments(40, "Local", "links lead in a circle")]
    [Arguments(5, "Local", "errno 5")]
    public async Task A_number_of_the_system_has_its_row(int errno, string row, string text)
    {
        PelicanException error = Faults.FromLocal(new IOException($"errno\u001b {errno}", errno), "/d/f", "write");

        await Assert.That(error.Row.Name).IsEqualTo(row);
        await Assert.That(error.Message).Contains(text);
        await Assert.That(error.Message).StartsWith(errno == 30 ? "cannot write '/d/f'" : "cannot write '/d/f': ");
        await Assert.That(error.Retryable).IsFalse();
    }

    [Test]
    public async Task Faults_of_a_real_file_system_are_told_apart()
    {
        string folder = Directory.CreateTempSubdirectory("faults-").FullName;
        try
        {
            await File.WriteAllTextAsync($"{folder}/file", "");
            File.CreateSymbolicLink($"{folder}/loop", "loop");

            await Assert.That(Row($"{folder}/none", FileMode.Open)).IsEqualTo("Parameter.FileNotFound");
            await Assert.That(Row($"{folder}/none/none", FileMode.Create)).IsEqualTo("Parameter.FileNotFound");
            await Assert.That(Row($"{folder}/file/below", FileMode.Create)).IsEqualTo("Parameter.FileNotFound");
            await Assert.That(Row(folder, FileMode.Open)).IsEqualTo("Local.PermissionDenied");
            await Assert.That(Row($"{folder}/loop", FileMode.Create)).IsEqualTo("Local");
            await Assert.That(Row($"{folder}/{new string('x', 300)}", FileMode.Create)).IsEqualTo("Local");
            await Assert.That(Row("/dev/full", FileMode.Open)).IsEqualTo("Local.NoSpace");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Test]
    [Arguments("30", null, 30.0)]
    [Arguments("0", null, 0.0)]
    [Arguments("7200", null, 3600.0)]
    [Arguments("Mon, 23 Nov 2026 12:01:00 GMT", "Mon, 23 Nov 2026 12:00:00 GMT", 60.0)]
    [Arguments("Mon, 23 Nov 2026 18:00:00 GMT", "Mon, 23 Nov 2026 12:00:00 GMT", 3600.0)]
    [Arguments("Mon, 23 Nov 2026 11:00:00 GMT", "Mon, 23 Nov 2026 12:00:00 GMT", null)]
    [Arguments("Mon, 23 Nov 2026 12:01:00 GMT", null, null)]
    [Arguments("-5", null, null)]
    [Arguments("soon", null, null)]
    [Arguments(null, null, null)]
    public async Task A_server_may_ask_for_a_wait_of_an_hour_at_most(string? header, string? date, double? seconds)
    {
        using HttpResponseMessage response = new(HttpStatusCode.TooManyRequests);
        if (header is not null)
        {
            response.Headers.TryAddWithoutValidation("Retry-After", header);
        }

        if (date is not null)
        {
            response.Headers.TryAddWithoutValidation("Date", date);
        }

        await Assert.That(Faults.RetryAfterOf(response)?.TotalSeconds).IsEqualTo(seconds);
    }

    [Test]
    [Arguments("plain\ntext", "plain text")]
    [Arguments("{\"error\":\"slug\",\"detail\":\"more\"}", "slug: more")]
    [Arguments("{\"status\":\"error\",\"msg\":\"no sources\"}", "no sources")]
    [Arguments("{\"msg\":\"\",\"error\":\"old\"}", "old")]
    [Arguments("{\"msg\":7}", "{\"msg\":7}")]
    [Arguments("{\"other\":\"x\"}", "{\"other\":\"x\"}")]
    [Arguments("{\"error\":\"cut", "{\"error\":\"cut")]
    [Arguments("{\"error\":\"half \\ud83d\"}", "{\"error\":\"half \\ud83d\"}")]
    [Arguments("[\"error\"]", "[\"error\"]")]
    [Arguments("", "")]
    public async Task The_text_of_an_error_is_read_from_JSON_or_as_it_is(string body, string expected)
    {
        using HttpResponseMessage response = Response(500, body);

        await Assert.That(await Faults.ReadTextAsync(response, CancellationToken.None)).IsEqualTo(expected);
    }

    [Test]
    public async Task The_text_of_an_error_is_bounded_and_its_loss_is_none()
    {
        using HttpResponseMessage endless = new(HttpStatusCode.BadGateway) { Content = new StreamContent(new Endless()) };
        using HttpResponseMessage broken = new(HttpStatusCode.BadGateway) { Content = new StreamContent(new Endless(breaks: true)) };

        await Assert.That((await Faults.ReadTextAsync(endless, CancellationToken.None)).Length).IsEqualTo(513);
        await Assert.That(await Faults.ReadTextAsync(broken, CancellationToken.None)).IsEqualTo("");
    }

    [Test]
    [Arguments(401, "", "Authorization", false)]
    [Arguments(403, "", "Authorization", false)]
    [Arguments(404, "", "Specification.FileNotFound", false)]
    [Arguments(400, "", "Specification", false)]
    [Arguments(405, "", "Specification", false)]
    [Arguments(409, "", "Specification", false)]
    [Arguments(409, "Unable to locate /a; is a directory", "Specification.IsCollection", false)]
    [Arguments(405, "Unable to create /a; is a directory", "Specification.IsCollection", false)]
    [Arguments(414, "", "Specification", false)]
    [Arguments(416, "", "Specification", false)]
    [Arguments(423, "", "Transfer", true)]
    [Arguments(429, "{\"error\":\"origin_unresponsive\",\"detail\":\"x\"}", "Transfer.OriginUnresponsive", true)]
    [Arguments(429, "{\"error\":\"origin_slow\"}", "Transfer.OriginSlow", true)]
    [Arguments(429, "{\"error\":\"cache_overloaded\"}", "Transfer.CacheOverloaded", true)]
    [Arguments(429, "{\"error\":\"unheard_of\"}", "Transfer.CacheOverloaded", true)]
    [Arguments(429, "", "Transfer.CacheOverloaded", true)]
    [Arguments(500, "", "Transfer", true)]
    [Arguments(501, "", "Transfer", true)]
    [Arguments(502, "", "Transfer", true)]
    [Arguments(503, "", "Transfer", true)]
    [Arguments(504, "", "Transfer.TimedOut", true)]
    [Arguments(507, "", "Transfer.ServerFull", true)]
    [Arguments(302, "", "Transfer", true)]
    public async Task A_status_has_its_row(int status, string body, string row, bool retryable)
    {
        using HttpResponseMessage response = Response(status, body);
        response.Headers.TryAddWithoutValidation("Retry-After", "7");

        PelicanException error = await Faults.FromStatusAsync(response, Path, "c.example:8443", CancellationToken.None);

        await Assert.That(error.Row.Name).IsEqualTo(row);
        await Assert.That(error.Retryable).IsEqualTo(retryable);
        await Assert.That(error.Message).Contains("c.example:8443").And.Contains($"{status}");
        if (status is 429 or 503)
        {
            await Assert.That(error.RetryAfter).IsEqualTo(TimeSpan.FromSeconds(7));
        }
    }

    private static HttpRequestException Request(HttpRequestError kind, Exception? inner) => new(kind, "outer", inner);

    private static SocketException Socket(SocketError error) => new((int)error);

    private static HttpResponseMessage Response(int status, string body) =>
        new((HttpStatusCode)status) { Content = new StringContent(body, Encoding.UTF8) };

    private static string Row(string path, FileMode mode)
    {
        try
        {
            using FileStream file = new(path, mode, FileAccess.ReadWrite);
            file.Write("x"u8);
            file.Flush();
            return "";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return Faults.FromLocal(e, path, "write").Row.Name;
        }
    }

    /// <summary>A body that never ends, or that breaks at once.</summary>
    private sealed class Endless(bool breaks = false) : MemoryStream
    {
        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override int Read(Span<byte> buffer)
        {
            buffer.Fill((byte)'x');
            return breaks ? throw new IOException("broken") : buffer.Length;
        }

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => new(Read(buffer.Span));
    }
}
