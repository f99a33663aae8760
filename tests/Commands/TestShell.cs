using System.Text;
using Pelican.Commands;
using Pelican.Federation;
using Pelican.Tests.Support;
using Pelican.Transfer;

namespace Pelican.Tests.Commands;

/// <summary>How a command line ended.</summary>
/// <param name="Status">Exit status.</param>
/// <param name="Output">Standard output.</param>
/// <param name="Error">Standard error.</param>
internal sealed record ShellResult(int Status, string Output, string Error);

/// <summary>
/// A process that is none: command lines run in it with streams, environment and directory of its own. Without a
/// federation the network must not be touched.
/// </summary>
internal sealed class TestShell : IDisposable
{
    private readonly TestFederation? _federation;

    public TestShell(TestFederation? federation = null, FaultyFileSystem? disk = null)
    {
        Folder = disk is null
            ? Directory.CreateTempSubdirectory("pelican-shell-").FullName
            : Directory.CreateDirectory(disk.File($"{Guid.NewGuid():N}")).FullName;
        _federation = federation;
        Variables["PELICAN_CONFIGBASE"] = Folder + "/config";
        if (federation is not null)
        {
            Variables["PELICAN_SERVER_TLSCACERTIFICATEFILE"] = federation.CaFile;
        }
    }

    /// <summary>The current directory.</summary>
    public string Folder { get; }

    /// <summary>The environment.</summary>
    public Dictionary<string, string> Variables { get; } = [];

    /// <summary>Changes the surroundings before a command runs.</summary>
    public Func<Surroundings, Surroundings> With { get; set; } = world => world;

    /// <summary>Signals of the command.</summary>
    public Interruption Interruption { get; } = new();

    /// <summary>A path in <see cref="Folder"/>.</summary>
    public string File(string name) => Path.Combine(Folder, name);

    /// <summary>Makes a file in <see cref="Folder"/>.</summary>
    public string Write(string name, string content)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(File(name))!);
        System.IO.File.WriteAllText(File(name), content);
        return File(name);
    }

    /// <summary>Surroundings with these streams.</summary>
    public Surroundings World(Stream output, Stream error) => With(new Surroundings
    {
        Output = output,
        ErrorOutput = error,
        Variable = name => Variables.GetValueOrDefault(name),
        VariableNames = () => Variables.Keys,
        CurrentDirectory = () => Folder,
        Clock = TimeProvider.System,
        UserId = 4711,
        Umask = () => (UnixFileMode)0b000_111_111,
        RunSelf = (_, _) => throw new InvalidOperationException("this command must not start another"),
        SystemConfiguration = Folder + "/etc",
        OpenFederation = (settings, tokens, redactor, logs) => _federation is null
            ? throw new InvalidOperationException("this command must not touch the network")
            : new FederationClient(settings with { RetryDelay = TimeSpan.FromMilliseconds(1) }, tokens, redactor, logs, TimeProvider.System, new Random(1)),
    });

    /// <summary>Runs a command line.</summary>
    public async Task<ShellResult> RunAsync(params string[] arguments)
    {
        using MemoryStream output = new();
        using MemoryStream error = new();
        int status = await Cli.RunAsync(arguments, World(output, error), Interruption);
        return new ShellResult(status, Encoding.UTF8.GetString(output.ToArray()), Encoding.UTF8.GetString(error.ToArray()));
    }

    /// <summary>The configuration that a command would have.</summary>
    public Configuration Configure(string? config = null, string? federation = null, string? log = null, bool debug = false) =>
        SettingsReader.Read(new SettingFlags(config, federation, log, debug), World(Stream.Null, Stream.Null));

    public void Dispose()
    {
        Interruption.Dispose();
        Directory.Delete(Folder, recursive: true);
    }
}
