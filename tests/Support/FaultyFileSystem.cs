using System.Diagnostics;
using System.Globalization;

namespace Pelican.Tests.Support;

/// <summary>
/// A mounted file system that fails as it is told (<c>tests/fuse/faultyfs.c</c>, which lists what it can be told). It shows
/// <see cref="Backing"/>, where everything can be looked at without faults. Two on one backing are two hosts with one file server.
/// Tests that want one are skipped where FUSE cannot be mounted, and say why.
/// </summary>
internal sealed class FaultyFileSystem : IDisposable
{
    private const int CannotMount = 3;

    private static readonly Lazy<string> Program = new(Compile);

    private readonly Process _program;
    private readonly string _folder = Directory.CreateTempSubdirectory("pelican-faulty-").FullName;

    private FaultyFileSystem(string? backing)
    {
        Root = Directory.CreateDirectory(_folder + "/mount").FullName;
        Backing = backing ?? Directory.CreateDirectory(_folder + "/backing").FullName;
        _program = Process.Start(new ProcessStartInfo(Program.Value, [Backing, Root])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
    }

    /// <summary>Where it is mounted.</summary>
    public string Root { get; }

    /// <summary>What is in it, without faults.</summary>
    public string Backing { get; }

    /// <summary>Mounts one.</summary>
    /// <param name="backing">The directory it shows; null for a new one.</param>
    public static FaultyFileSystem Mount(string? backing = null)
    {
        FaultyFileSystem mounted = new(backing);
        if (mounted._program.StandardOutput.ReadLine() != "ok")
        {
            mounted._program.WaitForExit();
            string why = mounted._program.StandardError.ReadToEnd().Trim();
            int status = mounted._program.ExitCode;
            mounted.Dispose();
            Skip.When(status == CannotMount, $"FUSE cannot be mounted: {why}");
            throw new InvalidOperationException($"faultyfs ended with {status}: {why}");
        }

        return mounted;
    }

    /// <summary>A path in it.</summary>
    public string File(string name) => Path.Combine(Root, name);

    /// <summary>Tells it how to behave: <c>flush EDQUOT name=*.dat</c> for example.</summary>
    public void Tell(params ReadOnlySpan<string> rules)
    {
        foreach (string rule in rules)
        {
            string answer = Ask(rule);
            if (answer != "ok")
            {
                throw new ArgumentException($"{rule}: {answer}", nameof(rules));
            }
        }
    }

    /// <summary>Behaves again.</summary>
    public void Heal() => Tell("clear");

    /// <summary>How often a call was made: <c>fsync</c> for example.</summary>
    public int Count(string call) => int.Parse(Ask($"count {call}").Split(' ')[1], CultureInfo.InvariantCulture);

    /// <summary>Everything that is in it, directories included, below the root.</summary>
    public string[] Files() =>
        [.. Directory.EnumerateFileSystemEntries(Backing, "*", SearchOption.AllDirectories).Select(f => Path.GetRelativePath(Backing, f)).Order(StringComparer.Ordinal)];

    /// <summary>Unmounts it, whoever still has something open in it.</summary>
    public void Dispose()
    {
        _program.StandardInput.Close();
        _program.WaitForExit();
        _program.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private static string Compile()
    {
        Skip.Unless(System.IO.File.Exists("/dev/fuse"), "FUSE cannot be mounted: there is no /dev/fuse");
        string source = FindSource();
        string program = Path.Combine(AppContext.BaseDirectory, $"faultyfs.{Environment.ProcessId}");
        using var compiler = Process.Start(new ProcessStartInfo(
            "gcc", ["-O1", "-Wall", "-Wextra", "-Werror", "-D_FILE_OFFSET_BITS=64", "-I/usr/include/fuse3", "-o", program, source, "-lfuse3", "-lpthread"])
        {
            RedirectStandardError = true,
        })!;
        string messages = compiler.StandardError.ReadToEnd();
        compiler.WaitForExit();
        bool inCI = !string.IsNullOrEmpty(Environment.GetEnvironmentVariable("CI"));
        Skip.When(compiler.ExitCode != 0 && !inCI, $"tests/fuse/faultyfs.c needs gcc and libfuse3-dev: {messages}");
        return compiler.ExitCode == 0 ? program : throw new InvalidOperationException(messages);
    }

    private static string FindSource()
    {
        for (string? folder = AppContext.BaseDirectory; folder is not null; folder = Path.GetDirectoryName(folder))
        {
            string source = Path.Combine(folder, "tests/fuse/faultyfs.c");
            if (System.IO.File.Exists(source))
            {
                return source;
            }
        }

        throw new FileNotFoundException($"No directory above {AppContext.BaseDirectory} has tests/fuse/faultyfs.c.");
    }

    private string Ask(string line)
    {
        lock (_program)
        {
            _program.StandardInput.WriteLine(line);
            _program.StandardInput.Flush();
            return _program.StandardOutput.ReadLine() ?? "it has ended";
        }
    }
}
