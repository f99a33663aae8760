using System.Diagnostics;
using System.Net;
using Pelican.Federation;

namespace Pelican.Tests.FederationTests;

/// <summary>The federation as a program.</summary>
public sealed class FederationCommandTests
{
    [Test]
    public async Task It_says_where_everything_is_and_ends_with_its_input(CancellationToken cancellationToken)
    {
        string root = Directory.CreateTempSubdirectory("federation").FullName;
        using Process program = Start("--root", root, "--until-stdin-closes", "--origins", "pelican", "--caches", "");

        Dictionary<string, string> state = await ReadStateAsync(program, cancellationToken);
        using TestCertificates stranger = new();
        using HttpClient client = stranger.CreateHttpClient();
        await Assert.That(async () => await client.GetStringAsync(state["DISCOVERY_URL"] + "/.well-known/pelican-configuration", cancellationToken))
            .Throws<HttpRequestException>();
        program.StandardInput.Close();
        await program.WaitForExitAsync(cancellationToken);

        await Assert.That(program.ExitCode).IsEqualTo(0);
        await Assert.That(File.Exists(state["CA_FILE"])).IsTrue();
        await Assert.That(await File.ReadAllTextAsync(state["TOKEN_FILE_WRITE"], cancellationToken)).StartsWith("eyJ");
        await Assert.That(Directory.Exists(state["ORIGIN0_DATA"] + "/public")).IsTrue();
        Directory.Delete(root, true);
    }

    [Test]
    public async Task It_can_be_a_director_in_front_of_other_servers(CancellationToken cancellationToken)
    {
        string root = Directory.CreateTempSubdirectory("federation").FullName;
        string config = Path.Combine(root, "director.json");
        await File.WriteAllTextAsync(config, """
            {"namespaces": [{"prefix": "/far", "requireToken": true, "servers": ["https://cache.example"],
             "writers": ["https://origin.example"], "collections": "https://origin.example", "issuers": ["https://issuer.example"]}]}
            """, cancellationToken);
        using Process program = Start("--root", root, "--until-stdin-closes", "--director-config", config);

        Dictionary<string, string> state = await ReadStateAsync(program, cancellationToken);
        using HttpClient client = new(new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseProxy = false,
            SslOptions = { RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is not null },
        });
        using HttpResponseMessage answer = await client.GetAsync(new Uri(state["DISCOVERY_URL"] + "/far/x"), cancellationToken);
        program.StandardInput.Close();
        await program.WaitForExitAsync(cancellationToken);

        await Assert.That(answer.StatusCode).IsEqualTo(HttpStatusCode.TemporaryRedirect);
        await Assert.That(answer.Headers.Location).IsEqualTo(new Uri("https://cache.example/far/x"));
        await Assert.That(answer.Headers.GetValues("X-Pelican-Namespace").Single())
            .IsEqualTo("namespace=/far, require-token=true, collections-url=https://origin.example");
        Directory.Delete(root, true);
    }

    [Test]
    public async Task Arguments_that_make_no_sense_are_refused(CancellationToken cancellationToken)
    {
        using Process program = Start("--root");

        string usage = await program.StandardError.ReadToEndAsync(cancellationToken);
        await program.WaitForExitAsync(cancellationToken);

        await Assert.That(program.ExitCode).IsEqualTo(2);
        await Assert.That(usage).StartsWith("usage: federation");
    }

    private static Process Start(params string[] arguments) => Process.Start(
        new ProcessStartInfo("dotnet", [typeof(TestFederation).Assembly.Location, .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;

    private static async Task<Dictionary<string, string>> ReadStateAsync(Process program, CancellationToken cancellationToken)
    {
        Dictionary<string, string> state = [];
        while (!state.ContainsKey("PID") && await program.StandardOutput.ReadLineAsync(cancellationToken) is { } line)
        {
            state.Add(line.Split('=', 2)[0], line.Split('=', 2)[1]);
        }

        return state;
    }
}
