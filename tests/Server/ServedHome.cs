using System.Globalization;
using System.Text.Json;
using Pelican.Commands;
using Pelican.Json;
using Pelican.Server;
using Pelican.Tests.Support;
using Pelican.Transfer;

namespace Pelican.Tests.Server;

/// <summary>A home directory with the published executable's server in it, which is gone with it.</summary>
internal sealed class ServedHome : IDisposable
{
    private const int Kill = 9;

    private readonly PublishedExecutable _executable = PublishedExecutable.Find();

    /// <summary>The home directory.</summary>
    public string Home { get; } = Directory.CreateTempSubdirectory("pelican-home-").FullName;

    /// <summary>The whole environment, but for PATH.</summary>
    public Dictionary<string, string> Environment { get; } = [];

    /// <summary>Path of the executable.</summary>
    public string Executable => _executable.Path;

    /// <summary>Its process, by the PID file.</summary>
    public int Pid => int.Parse(System.IO.File.ReadAllText(File("pid")), CultureInfo.InvariantCulture);

    /// <summary>Whether that process is there.</summary>
    public static bool Runs(int process) => BootMark.StartTicks(process) is not null;

    /// <summary>One of its files.</summary>
    public string File(string extension) => $"{Home}/.pelican/client-api.{extension}";

    /// <summary>What is in its directory, without databases and locks, which stay.</summary>
    public IEnumerable<string> Left() => Directory.EnumerateFiles(Home + "/.pelican").Select(file => Path.GetFileName(file)!)
        .Where(name => !name.EndsWith(".lock", StringComparison.Ordinal) && !name.EndsWith(".db", StringComparison.Ordinal));

    /// <summary>Runs <c>pelican client-api …</c>.</summary>
    public Task<ProgramRun> RunAsync(params string[] arguments) => PelicanAsync(["client-api", .. arguments]);

    /// <summary>Runs <c>pelican …</c>.</summary>
    public Task<ProgramRun> PelicanAsync(params string[] arguments) => _executable.RunAsync(arguments, Variables());

    /// <summary>Starts it, and requires that this works.</summary>
    /// <returns>Its process.</returns>
    public async Task<int> ServeAsync(params string[] options)
    {
        ProgramRun run = await RunAsync(["serve", .. options]);
        await Assert.That(run).IsEqualTo(run with { ExitStatus = 0, Error = "" });
        return Pid;
    }

    /// <summary>Runs a shell script in which <c>$P</c> is the executable.</summary>
    public Task<ProgramRun> ShellAsync(string script) => ProgramAsync("bash", "-c", script);

    /// <summary>Runs any program with the same environment.</summary>
    public Task<ProgramRun> ProgramAsync(string program, params string[] arguments) => PublishedExecutable.RunAsync(program, arguments, Variables());

    /// <summary>What the server says of itself.</summary>
    public async Task<JsonElement> StatusAsync()
    {
        using JsonDocument json = JsonDocument.Parse((await RunAsync("status", "--json")).Output);
        return json.RootElement.Clone();
    }

    public void Dispose()
    {
        var host = HostIdentity.Read();
        IEnumerable<string> records = Directory.Exists(Home + "/.pelican") ? Directory.EnumerateFiles(Home + "/.pelican", "*.json") : [];
        foreach (InstanceRecord record in records.Select(Instance.Read).OfType<InstanceRecord>().Where(host.Runs))
        {
            _ = Posix.Kill(record.Pid, Kill);
        }

        Directory.Delete(Home, recursive: true);
    }

    private Dictionary<string, string> Variables() => new(Environment) { ["HOME"] = Home, ["P"] = Executable };
}
