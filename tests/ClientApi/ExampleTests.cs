using Pelican.Examples;
using Pelican.Tests.Support;

namespace Pelican.Tests.ClientApi;

/// <summary>The example of the library, and what is written about it.</summary>
public sealed class ExampleTests : IDisposable
{
    private const string Id = "550e8400-e29b-41d4-a716-446655440000";

    private readonly string _folder = Directory.CreateTempSubdirectory("pelican-api-").FullName;

    private string Socket => Path.Combine(_folder, "s");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Test]
    public async Task It_hands_a_job_over_and_waits_for_it(CancellationToken cancellationToken)
    {
        await using ScriptedApi api = await ScriptedApi.StartAsync(Socket, request => request.Line switch
        {
            "GET /health" => new ApiAnswer(200, """{"status": "ok", "version": "1.0.0", "uptime_seconds": 3600}"""),
            "POST /api/v1/xfer/jobs" => new ApiAnswer(201, $$"""{"job_id": "{{Id}}", "status": "pending", "created_at": "2025-01-15T10:30:00Z", "transfers": []}"""),
            _ => new ApiAnswer(200, ScriptedApi.Job("completed")),
        });

        string said = await RunAsync(cancellationToken);

        await Assert.That(said).IsEqualTo($"Created job: {Id}\nJob completed: 4700000 bytes transferred\n");
    }

    [Test]
    public async Task It_says_when_there_is_no_server(CancellationToken cancellationToken)
    {
        string said = await RunAsync(cancellationToken);

        await Assert.That(said).IsEqualTo("Server is not running. Start with: pelican client-api serve\n");
    }

    [Test]
    public async Task It_is_what_the_library_shows()
    {
        await Assert.That(Resource("ClientApi.README.md")).Contains($"```csharp\n{Resource("Example.cs")}```\n");
    }

    private async Task<string> RunAsync(CancellationToken cancellationToken)
    {
        using StringWriter output = new() { NewLine = "\n" };
        await Example.RunAsync(Socket, output, cancellationToken);
        return output.ToString();
    }

    private static string Resource(string name)
    {
        using StreamReader reader = new(typeof(ExampleTests).Assembly.GetManifestResourceStream(name)!);
        return reader.ReadToEnd();
    }
}
