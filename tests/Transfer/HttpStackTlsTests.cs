using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging.Abstractions;
using Pelican.Federation;
using Pelican.Tests.Support;
using Pelican.Transfer;

namespace Pelican.Tests.Transfer;

/// <summary>Which certificates are taken of servers whose authority the user has named.</summary>
public sealed class HttpStackTlsTests
{
    [Test]
    [Arguments("1.3.6.1.5.5.7.3.1", "localhost", true)]
    [Arguments("1.3.6.1.5.5.7.3.2", "localhost", false)] // clientAuth
    [Arguments("1.3.6.1.5.5.7.3.1", "example.org", false)]
    public async Task A_certificate_counts_if_it_is_for_a_server_of_that_name(string purpose, string name, bool taken, CancellationToken cancellationToken)
    {
        using TestCertificates authority = new();
        using X509Certificate2 certificate = authority.IssueFor(new Oid(purpose), name);
        string file = Path.GetTempFileName();
        await File.WriteAllTextAsync(file, authority.AuthorityPem, cancellationToken);
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        Task serving = ServeAsync(listener, certificate, cancellationToken);
        using HttpStack http = new(new ClientSettings { CaCertificateFile = file }, TimeProvider.System, new Random(1), NullLogger.Instance);
        Uri url = new($"https://localhost:{((IPEndPoint)listener.LocalEndpoint).Port}/");

        Task<HttpResponseMessage> asking = http.SendAsync(at => new HttpRequestMessage(HttpMethod.Get, at), url, null, TimeSpan.FromSeconds(10), null, null, cancellationToken);

        if (taken)
        {
            using HttpResponseMessage answer = await asking;
            await Assert.That(answer.StatusCode).IsEqualTo(HttpStatusCode.OK);
        }
        else
        {
            PelicanException error = await Expect.FailureAsync(asking);
            await Assert.That(error.Row).IsEqualTo(Errors.Certificate);
        }

        await serving;
        File.Delete(file);
    }

    private static async Task ServeAsync(TcpListener listener, X509Certificate2 certificate, CancellationToken cancellationToken)
    {
        using TcpClient client = await listener.AcceptTcpClientAsync(cancellationToken);
        await using SslStream stream = new(client.GetStream());
        try
        {
            await stream.AuthenticateAsServerAsync(certificate);
            await stream.ReadAtLeastAsync(new byte[4096], 20, throwOnEndOfStream: false, cancellationToken);
            await stream.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"u8.ToArray(), cancellationToken);
        }
        catch (Exception e) when (e is IOException or System.Security.Authentication.AuthenticationException)
        {
            // The client has refused.
        }
    }
}
