using System.Text;
using System.Text.Json;
using Pelican.Tests.Support;

namespace Pelican.Tests.Server;

/// <summary>The specification's own examples, word for word, against the published executable.</summary>
[NotInParallel("/tmp/example.txt")]
public sealed class SpecificationPublishedTests : IDisposable
{
    private const string Target = "/tmp/example.txt";

    private static readonly string[] Members = ["job_id", "error", "jobs", "error", "name", "status", "message"];

    private static readonly byte[] Content = Bytes.Random(1024);

    public void Dispose() => File.Delete(Target);

    [Test]
    public async Task The_lines_for_curl_work(CancellationToken cancellationToken)
    {
        await using ApiDaemon daemon = await StartAsync();

        ProgramRun run = await daemon.ProgramAsync("bash", ["-ec", Text("curl.sh")]);
        int status = await daemon.EndAsync();

        List<JsonElement> answers = Answers(run.Output);
        await Assert.That(run.ExitStatus).IsEqualTo(0);
        await Assert.That(answers.Select(answer => answer.EnumerateObject().First().Name)).IsEquivalentTo(Members, TUnit.Assertions.Enums.CollectionOrdering.Matching);
        await Assert.That(answers[1].GetProperty("error").GetString()).IsEqualTo("Job not found");
        await Assert.That(answers[4].GetProperty("size").GetInt64()).IsEqualTo(Content.Length);
        await Assert.That(answers[6].GetRawText()).IsEqualTo("""{"message":"Server shutdown initiated"}""");
        await Assert.That((status, File.Exists(daemon.Socket))).IsEqualTo((0, false));
        cancellationToken.ThrowIfCancellationRequested();
    }

    [Test]
    public async Task The_program_in_Python_works(CancellationToken cancellationToken)
    {
        await using ApiDaemon daemon = await StartAsync();
        // The home directory in the program is nobody's.
        string modules = Path.Combine(daemon.Home, "modules");
        Directory.CreateDirectory(modules);
        await File.WriteAllTextAsync(Path.Combine(modules, "sitecustomize.py"), """
            import os, socket

            class Socket(socket.socket):
                def connect(self, address):
                    return super().connect(address.replace("/Users/username", os.environ["HOME"]) if isinstance(address, str) else address)

            socket.socket = Socket
            """, cancellationToken);

        // Debian's, which has Debian's packages.
        ProgramRun run = await daemon.ProgramAsync("/usr/bin/python3", ["-c", Text("program.py")], ("PYTHONPATH", modules));

        await Assert.That(run).IsEqualTo(run with { ExitStatus = 0, Error = "" });
        await Assert.That(run.Output).StartsWith("Created job: ").And.EndsWith("Status: completed\nProgress: 100.0%\nJob finished!\n");
        await Assert.That(await File.ReadAllBytesAsync(Target, cancellationToken)).IsEquivalentTo(Content, TUnit.Assertions.Enums.CollectionOrdering.Matching);
    }

    private static async Task<ApiDaemon> StartAsync()
    {
        File.Delete(Target);
        ApiDaemon daemon = await new ApiDaemon().StartedAsync();
        daemon.Federation.Origin.Store("/osgconnect/public/example.txt", Content);
        return daemon;
    }

    private static string Text(string name)
    {
        using StreamReader reader = new(typeof(SpecificationPublishedTests).Assembly.GetManifestResourceStream(name)!);
        return reader.ReadToEnd();
    }

    private static List<JsonElement> Answers(string output)
    {
        Utf8JsonReader reader = new(Encoding.UTF8.GetBytes(output), new JsonReaderOptions { AllowMultipleValues = true });
        List<JsonElement> answers = [];
        while (reader.Read())
        {
            answers.Add(JsonElement.ParseValue(ref reader));
        }

        return answers;
    }
}
