using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.RegularExpressions;
using Pelican.Tests.Support;

namespace Pelican.Tests.Publish;

/// <summary>What must hold on hosts that are not like the one that built it; most of it tried in a chroot.</summary>
public sealed class ExecutablePublishedTests : IDisposable
{
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("pelican-root-");

    public void Dispose() => _root.Delete(recursive: true);

    [Test]
    public async Task The_first_executable_is_static()
    {
        ProgramRun ldd = await PublishedExecutable.RunAsync("ldd", [PublishedExecutable.Find().Path]);

        await Assert.That(ldd.Output + ldd.Error).Contains("not a dynamic executable");
    }

    [Test]
    public async Task The_second_needs_no_glibc_newer_than_2_17()
    {
        ProgramRun dump = await PublishedExecutable.RunAsync("objdump", ["-T", PublishedExecutable.FindDynamic().Path]);

        List<Version> versions = [.. Regex.Matches(dump.Output, @"GLIBC_(\d+(\.\d+)+)").Select(m => Version.Parse(m.Groups[1].Value))];
        await Assert.That(versions).IsNotEmpty();
        await Assert.That(versions.Max()!).IsLessThanOrEqualTo(new Version(2, 17));
    }

    [Test]
    public async Task Neither_is_larger_than_25_MB()
    {
        await Assert.That(new FileInfo(PublishedExecutable.Find().Path).Length).IsLessThanOrEqualTo(25_000_000);
        await Assert.That(new FileInfo(PublishedExecutable.FindDynamic().Path).Length).IsLessThanOrEqualTo(25_000_000);
    }

    [Test]
    [Arguments(false)]
    [Arguments(true)]
    public async Task The_self_test_passes(bool dynamic)
    {
        PublishedExecutable executable = dynamic ? PublishedExecutable.FindDynamic() : PublishedExecutable.Find();

        ProgramRun run = await executable.RunAsync(["self-test"]);

        await Assert.That(run).IsEqualTo(run with { ExitStatus = 0, Error = "" });
        await Assert.That(run.Output).Contains("Tls13").And.Contains("sqlite: 3.");
    }

    [Test]
    public async Task It_runs_where_there_is_nothing_else()
    {
        ProgramRun run = await PublishedExecutable.Find().RunInAsync(_root.FullName, ["self-test"]);

        await Assert.That(run).IsEqualTo(run with { ExitStatus = 0, Error = "" });
        await Assert.That(run.Output).Contains("localhost: FAILED").And.Contains("home unknown");
    }

    [Test]
    public async Task Name_service_modules_of_the_host_are_left_alone()
    {
        Write("/etc/nsswitch.conf", "hosts: sss myhostname resolve\npasswd: sss systemd\n");
        Write("/etc/hosts", "127.0.0.1 localhost\n");
        Write("/etc/passwd", "admin:x:0:0::/srv/admin:/bin/sh\n");
        await CopyModuleAsync("/lib/x86_64-linux-gnu/libnss_sss.so.2");

        ProgramRun run = await PublishedExecutable.Find().RunInAsync(_root.FullName, ["self-test"]);

        await Assert.That(run).IsEqualTo(run with { ExitStatus = 0, Error = "" });
        await Assert.That(run.Output).Contains("localhost: 127.0.0.1").And.Contains("user: admin (0), home /srv/admin");
    }

    [Test]
    public async Task Modules_named_by_the_hosts_openssl_cnf_are_left_alone()
    {
        Write("/etc/openssl.cnf", """
            openssl_conf = all
            [all]
            providers = providers
            [providers]
            default = on
            foreign = foreign
            [on]
            activate = 1
            [foreign]
            module = /lib/foreign.so
            activate = 1
            """);
        await CopyModuleAsync("/lib/foreign.so");

        ProgramRun run = await PublishedExecutable.Find().RunInAsync(
            _root.FullName, ["self-test"], new Dictionary<string, string> { ["OPENSSL_CONF"] = "/etc/openssl.cnf" });

        await Assert.That(run).IsEqualTo(run with { ExitStatus = 0, Error = "" });
    }

    [Test]
    [Arguments("/etc/ssl/certs/ca-certificates.crt", "")]
    [Arguments("/etc/pki/tls/certs/ca-bundle.crt", "")]
    [Arguments("/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", "")]
    [Arguments("/etc/ssl/ca-bundle.pem", "")]
    [Arguments("/etc/ssl/cert.pem", "")]
    [Arguments("/home/own.pem", "/home/own.pem")]
    public async Task A_server_is_verified_with_the_authorities_of_the_host(string place, string variable)
    {
        using Authority authority = new();
        Write(place, authority.Pem);
        Write("/etc/hosts", "127.0.0.1 localhost\n");

        ProgramRun run = await VisitAsync(authority, variable);

        await Assert.That(run).IsEqualTo(run with { ExitStatus = 0, Error = "" });
        await Assert.That(run.Output).Contains($"authorities: 1 ({place})").And.Contains("verified");
    }

    [Test]
    public async Task A_server_of_another_authority_is_not_trusted()
    {
        using Authority authority = new();
        using Authority other = new();
        Write("/etc/pki/tls/certs/ca-bundle.crt", other.Pem);
        Write("/etc/hosts", "127.0.0.1 localhost\n");

        ProgramRun run = await VisitAsync(authority, "");

        await Assert.That(run.ExitStatus).IsEqualTo(1);
        await Assert.That(run.Output).Contains("FAILED").And.DoesNotContain("verified");
    }

    private async Task<ProgramRun> VisitAsync(Authority authority, string certificateFile)
    {
        PublishedExecutable executable = PublishedExecutable.Find();
        PublishedExecutable.SkipUnlessRoot();
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        Task serving = authority.ServeOneAsync(listener);

        Dictionary<string, string> environment = certificateFile.Length == 0 ? [] : new() { ["SSL_CERT_FILE"] = certificateFile };
        ProgramRun run = await executable.RunInAsync(
            _root.FullName, ["self-test", "--tls", $"localhost:{((IPEndPoint)listener.LocalEndpoint).Port}"], environment);
        await serving;
        return run;
    }

    private void Write(string path, string content)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_root.FullName + path)!);
        File.WriteAllText(_root.FullName + path, content);
    }

    /// <summary>Puts a shared object there that can be loaded, but needs a C library that is not that of the executable.</summary>
    private async Task CopyModuleAsync(string path)
    {
        Write(path, "");
        Write("/libc.c", "int gnu_get_libc_version;");
        Write("/module.c", "extern int gnu_get_libc_version; int *other = &gnu_get_libc_version;");
        string libc = _root.FullName + "/lib/x86_64-linux-gnu/libc.so.6";
        Directory.CreateDirectory(Path.GetDirectoryName(libc)!);
        await CompileAsync(libc, _root.FullName + "/libc.c", "-Wl,-soname,libc.so.6");
        await CompileAsync(_root.FullName + path, _root.FullName + "/module.c", libc);
    }

    private static async Task CompileAsync(string target, params string[] arguments)
    {
        ProgramRun gcc = await PublishedExecutable.RunAsync("gcc", ["-shared", "-fPIC", "-nostdlib", "-o", target, .. arguments]);
        await Assert.That(gcc.Error).IsEmpty();
    }

    /// <summary>A certificate authority, and a server for localhost that it vouches for.</summary>
    private sealed class Authority : IDisposable
    {
        private static readonly DateTimeOffset Start = DateTimeOffset.UtcNow.AddDays(-1);
        private static readonly DateTimeOffset End = DateTimeOffset.UtcNow.AddDays(1);
        private readonly X509Certificate2 _authority;
        private readonly X509Certificate2 _server;

        public Authority()
        {
            using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            CertificateRequest request = new($"CN=Authority {Guid.NewGuid()}", key, HashAlgorithmName.SHA256);
            request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
            _authority = request.CreateSelfSigned(Start, End);

            using ECDsa serverKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            CertificateRequest serverRequest = new("CN=localhost", serverKey, HashAlgorithmName.SHA256);
            SubjectAlternativeNameBuilder names = new();
            names.AddDnsName("localhost");
            serverRequest.CertificateExtensions.Add(names.Build());
            using X509Certificate2 unsigned = serverRequest.Create(_authority, Start, End, [1]);
            _server = unsigned.CopyWithPrivateKey(serverKey);
        }

        public string Pem => _authority.ExportCertificatePem();

        public void Dispose()
        {
            _authority.Dispose();
            _server.Dispose();
        }

        /// <summary>Answers one connection; that the client refuses the certificate is its business.</summary>
        public async Task ServeOneAsync(TcpListener listener)
        {
            using TcpClient client = await listener.AcceptTcpClientAsync();
            await using SslStream stream = new(client.GetStream());
            try
            {
                await stream.AuthenticateAsServerAsync(_server);
            }
            catch (Exception e) when (e is AuthenticationException or IOException)
            {
            }
        }
    }
}
