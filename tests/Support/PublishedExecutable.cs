using System.Diagnostics;

namespace Pelican.Tests.Support;

/// <summary>How one run of a program ended.</summary>
/// <param name="ExitStatus">Exit status; 128 and more for a signal.</param>
/// <param name="Output">Standard output.</param>
/// <param name="Error">Standard error.</param>
internal sealed record ProgramRun(int ExitStatus, string Output, string Error);

/// <summary>
/// An executable made by <c>publish.sh</c>, for tests in classes named <c>…PublishedTests</c>, which are skipped where it
/// has not been made. <c>PELICAN_EXE</c> is its absolute path.
/// </summary>
internal sealed class PublishedExecutable
{
    private PublishedExecutable(string path) => Path = path;

    /// <summary>Absolute path of the file.</summary>
    public string Path { get; }

    /// <summary>The static executable; skips the test when there is none, and fails it in CI.</summary>
    public static PublishedExecutable Find()
    {
        string? path = Environment.GetEnvironmentVariable("PELICAN_EXE");
        if (string.IsNullOrEmpty(path) && Environment.GetEnvironmentVariable("CI") is { Length: > 0 })
        {
            throw new InvalidOperationException("PELICAN_EXE is not set: in CI the published executable is tested.");
        }

        Skip.When(string.IsNullOrEmpty(path), "PELICAN_EXE is not set");
        return new PublishedExecutable(path!);
    }

    /// <summary>The one for the host's C library, which lies beside it.</summary>
    public static PublishedExecutable FindDynamic() => new(Find().Path + "-glibc2.17");

    /// <summary>Runs it to its end.</summary>
    /// <param name="arguments">Arguments, without the name of the program.</param>
    /// <param name="environment">The whole environment, but for PATH; null for nothing more.</param>
    /// <param name="input">Standard input.</param>
    public Task<ProgramRun> RunAsync(
        IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null, string input = "") =>
        RunAsync(Path, arguments, environment, input);

    /// <summary>Skips a test that needs <see cref="RunInAsync"/> where only root may do that; before anything is started for it.</summary>
    public static void SkipUnlessRoot() => Skip.Unless(Environment.IsPrivilegedProcess, "chroot(8) is for root");

    /// <summary>Runs it with a directory as root, into which it is copied; skips the test where only root may do that.</summary>
    /// <param name="root">The directory.</param>
    /// <param name="arguments">Arguments, without the name of the program.</param>
    /// <param name="environment">The whole environment, but for PATH; null for nothing more.</param>
    public async Task<ProgramRun> RunInAsync(
        string root, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null)
    {
        SkipUnlessRoot();
        // By another process: while this one has it open for writing, a program that another test starts has it too, and
        // then it cannot be run ("text file busy").
        await RunAsync("cp", [Path, System.IO.Path.Combine(root, "pelican")], null, "");
        return await RunAsync("chroot", [root, "/pelican", .. arguments], environment, "");
    }

    /// <summary>
    /// How to start any program, with all its standard streams redirected. It gets signals as if a terminal had started it: where the
    /// tests themselves run in the background of a script, or under nohup, some are ignored, and whoever is started inherits that.
    /// </summary>
    /// <param name="program">Path, or name to be found in PATH.</param>
    /// <param name="arguments">Arguments, without the name of the program.</param>
    public static ProcessStartInfo StartInfo(string program, IEnumerable<string> arguments) => new("env", ["--default-signal=HUP,INT,QUIT", program, .. arguments])
    {
        RedirectStandardInput = true,
        RedirectStandardOutput = true,
        RedirectStandardError = true,
    };

    /// <summary>Runs any program to its end.</summary>
    /// <param name="program">Path, or name to be found in PATH.</param>
    /// <param name="arguments">Arguments, without the name of the program.</param>
    /// <param name="environment">The whole environment, but for PATH; null for nothing more.</param>
    /// <param name="input">Standard input.</param>
    public static async Task<ProgramRun> RunAsync(
        string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null, string input = "")
    {
        ProcessStartInfo start = StartInfo(program, arguments);
        string? searchPath = Environment.GetEnvironmentVariable("PATH");
        start.Environment.Clear();
        start.Environment["PATH"] = searchPath;
        foreach ((string name, string value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[name] = value;
        }

        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> error = process.StandardError.ReadToEndAsync();
        try
        {
            await process.StandardInput.WriteAsync(input);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It ended without reading all of it, as it may.
        }

        await process.WaitForExitAsync();
        return new ProgramRun(process.ExitCode, await output, await error);
    }
}
