using System.CommandLine;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Data.Sqlite;
using Pelican.Transfer;

namespace Pelican.Commands;

/// <summary>
/// <c>pelican self-test</c>, hidden: tries what a packaged executable could have wrong on a strange host, one line each.
/// </summary>
internal static class SelfTestCommand
{
    /// <summary>The command.</summary>
    public static Command Create()
    {
        Option<DnsEndPoint?> server = new("--tls")
        {
            Description = "Also connect to this server and verify its certificate",
            HelpName = "HOST:PORT",
            CustomParser = result => ParseServer(result.Tokens[0].Value) ?? Refuse(result.AddError),
        };
        Command command = new("self-test", "Check that this executable works on this host") { server };
        command.Hidden = true;
        command.SetAction((parsed, cancellationToken) =>
            RunAsync(parsed.GetValue(server), parsed.InvocationConfiguration.Output, cancellationToken));
        return command;

        static DnsEndPoint? Refuse(Action<string> addError)
        {
            addError("--tls takes HOST:PORT");
            return null;
        }
    }

    /// <summary>Runs all checks; with a <paramref name="server"/>, verifies that too.</summary>
    /// <returns>0 if all is well. A host without authorities or without names is told of, but is no fault of ours.</returns>
    public static async Task<int> RunAsync(DnsEndPoint? server, TextWriter output, CancellationToken cancellationToken)
    {
        bool well = true;
        await output.WriteLineAsync($"runtime: {Runtime()}");
        well &= await TryAsync("openssl", () => HandshakeAsync(cancellationToken));
        well &= await TryAsync("sqlite", () => Task.FromResult(Sqlite()));
        _ = await TryAsync("localhost", () => ResolveAsync("localhost", cancellationToken));
        well &= await TryAsync("authorities", () => Task.FromResult(Authorities()));
        well &= await TryAsync("user", () => Task.FromResult(User()));
        if (server is not null)
        {
            well &= await TryAsync($"{server.Host}:{server.Port}", () => VerifyAsync(server, cancellationToken));
        }

        return well ? 0 : 1;

        async Task<bool> TryAsync(string what, Func<Task<string>> check)
        {
            try
            {
                await output.WriteLineAsync($"{what}: {await check()}");
                return true;
            }
            catch (Exception e) when (e is SystemException or SocketException or SqliteException or AuthenticationException)
            {
                await output.WriteLineAsync($"{what}: FAILED: {e.Message} {e.InnerException?.Message}".TrimEnd());
                return false;
            }
        }
    }

    private static string Runtime()
    {
        string kind = RuntimeFeature.IsDynamicCodeCompiled ? "just in time" : "native";
        return $"{RuntimeInformation.FrameworkDescription}, {kind}, {RuntimeInformation.RuntimeIdentifier}";
    }

    /// <summary>A TLS connection with ourselves over loopback: random numbers, an EC key, a signature, a cipher.</summary>
    private static async Task<string> HandshakeAsync(CancellationToken cancellationToken)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using X509Certificate2 certificate = new CertificateRequest("CN=self-test", key, HashAlgorithmName.SHA256)
            .CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(100));

        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start(1);
        using TcpClient near = new();
        await near.ConnectAsync((IPEndPoint)listener.LocalEndpoint, cancellationToken);
        using TcpClient far = await listener.AcceptTcpClientAsync(cancellationToken);

        await using SslStream server = new(far.GetStream());
        await using SslStream client = new(near.GetStream());
        SslClientAuthenticationOptions expected = new()
        {
            TargetHost = "self-test",
            RemoteCertificateValidationCallback = (_, shown, _, _) => certificate.Equals(shown),
        };
        await Task.WhenAll(
            server.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = certificate }, cancellationToken),
            client.AuthenticateAsClientAsync(expected, cancellationToken));

        byte[] received = new byte[5];
        await client.WriteAsync("hello"u8.ToArray(), cancellationToken);
        await server.ReadExactlyAsync(received, cancellationToken);
        return received.AsSpan().SequenceEqual("hello"u8)
            ? $"{OpenSslVersion()}, {Describe(client)}"
            : throw new CryptographicException("What was sent over TLS is not what was received.");
    }

    // 0xMNN00PP0 since version 3.
    private static string OpenSslVersion()
    {
        long version = SafeEvpPKeyHandle.OpenSslVersion;
        return $"{version >> 28}.{(version >> 20) & 0xFF}.{(version >> 4) & 0xFF}";
    }

    private static string Sqlite()
    {
        SQLitePCL.raw.SetProvider(new SQLitePCL.SQLite3Provider_e_sqlite3());
        using SqliteConnection connection = new("Data Source=:memory:");
        connection.Open();
        return connection.ServerVersion;
    }

    private static async Task<string> ResolveAsync(string name, CancellationToken cancellationToken) =>
        string.Join(", ", (IEnumerable<IPAddress>)await Dns.GetHostAddressesAsync(name, cancellationToken));

    private static string Authorities()
    {
        using X509Store store = new(StoreName.Root, StoreLocation.LocalMachine);
        store.Open(OpenFlags.ReadOnly);
        string place = Environment.GetEnvironmentVariable(CaBundle.FileVariable)
            ?? Environment.GetEnvironmentVariable(CaBundle.DirectoryVariable)
            ?? $"no bundle found on this host, set {CaBundle.FileVariable}";
        return store.Certificates.Count is > 0 and int count ? $"{count} ({place})" : $"none ({place})";
    }

    private static string User()
    {
        Account account = Account.Find();
        return $"{account.Name} ({account.UserId}), home {account.Home ?? "unknown, set HOME"}";
    }

    private static async Task<string> VerifyAsync(DnsEndPoint server, CancellationToken cancellationToken)
    {
        using TcpClient connection = new();
        await connection.ConnectAsync(server.Host, server.Port, cancellationToken);
        await using SslStream stream = new(connection.GetStream());
        await stream.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = server.Host }, cancellationToken);
        return $"verified, {Describe(stream)}";
    }

    private static string Describe(SslStream stream) => $"{stream.SslProtocol} {stream.NegotiatedCipherSuite}";

    private static DnsEndPoint? ParseServer(string text)
    {
        int colon = text.LastIndexOf(':');
        return colon > 0 && ushort.TryParse(text.AsSpan(colon + 1), out ushort port)
            ? new DnsEndPoint(text[..colon].Trim('[', ']'), port)
            : null;
    }
}
