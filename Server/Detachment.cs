using System.Collections;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using Microsoft.Win32.SafeHandles;
using Pelican.Json;
using Pelican.Transfer;

namespace Pelican.Server;

/// <summary>
/// Starts this program again, detached: .NET must not fork, so that a new process runs what the command line says, in a
/// session of its own, and tells over a pipe how it went.
/// </summary>
internal static class Detachment
{
    private const int CloseOnExec = 0x80000;

    /// <summary>The file that was started; where it has been replaced since, the kernel still knows it.</summary>
    private static readonly string Self = File.Exists(Environment.ProcessPath) ? Environment.ProcessPath : "/proc/self/exe";

    /// <summary>
    /// What a daemon must not have of the environment of whoever happened to start it: tokens, and what systemd means for
    /// another process.
    /// </summary>
    private static readonly string[] NotInherited =
        ["BEARER_TOKEN", "BEARER_TOKEN_FILE", "TOKEN", "_CONDOR_CREDS", "LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "NOTIFY_SOCKET"];

    /// <summary>Starts it, and waits until it serves.</summary>
    /// <param name="arguments">Arguments, with the name of the program; the descriptor that the report goes to is added as the value of a last option.</param>
    /// <param name="readyOption">Name of that option.</param>
    /// <param name="logFile">Receives what the process writes to standard output and error.</param>
    /// <param name="cancellationToken">Ends the waiting, and the process.</param>
    /// <exception cref="PelicanException">It could not be started, or ended without a word.</exception>
    public static async Task<StartReport> StartAsync(
        IReadOnlyList<string> arguments, string readyOption, string logFile, CancellationToken cancellationToken)
    {
        using SafeFileHandle log = OpenLog(logFile);
        (SafeFileHandle read, SafeFileHandle write) = NewPipe();
        using FileStream pipe = new(read, FileAccess.Read, bufferSize: 0);
        int process;
        using (write)
        {
            process = Spawn([.. arguments, readyOption, ((int)write.DangerousGetHandle()).ToString(CultureInfo.InvariantCulture)], log, write);
        }

        try
        {
            using MemoryStream told = new();
            await Task.Run(() => pipe.CopyTo(told), CancellationToken.None).WaitAsync(cancellationToken);
            return told.Length > 0 ? JsonSerializer.Deserialize(told.ToArray(), PelicanJson.Default.StartReport)! : throw Silent(process, logFile);
        }
        catch (OperationCanceledException)
        {
            const int terminate = 15;
            _ = SystemCalls.Kill(process, terminate);
            throw;
        }
    }

    /// <summary>Leaves session and directory of whoever started this process. By the process itself: posix_spawn(3) of old C libraries can do neither.</summary>
    public static void Leave()
    {
        _ = SystemCalls.NewSession();
        Directory.SetCurrentDirectory("/");
    }

    /// <summary>Tells how the start went; nobody listens after the first word.</summary>
    /// <param name="descriptor">Value of the option.</param>
    /// <param name="report">How it went.</param>
    public static void Tell(int descriptor, StartReport report)
    {
        try
        {
            using FileStream pipe = new(new SafeFileHandle(descriptor, ownsHandle: true), FileAccess.Write, bufferSize: 0);
            pipe.Write(JsonSerializer.SerializeToUtf8Bytes(report, PelicanJson.Output.StartReport));
        }
        catch (IOException)
        {
            // Whoever asked has gone away.
        }
    }

    private static unsafe int Spawn(string[] arguments, SafeFileHandle log, SafeFileHandle pipe)
    {
        const short setSignalDefaults = 4, setSignalMask = 8;
        // Larger than what any C library takes for them: 80, 336 and 128 bytes.
        byte* actions = stackalloc byte[512], attributes = stackalloc byte[1024], signals = stackalloc byte[256];
        int output = (int)log.DangerousGetHandle();
        KeepToOurselves((int)pipe.DangerousGetHandle());

        _ = SystemCalls.InitActions(actions);
        _ = SystemCalls.AddOpen(actions, 0, "/dev/null", 0, 0);
        _ = SystemCalls.AddDuplicate(actions, output, 1);
        _ = SystemCalls.AddDuplicate(actions, output, 2);
        _ = SystemCalls.InitAttributes(attributes);
        _ = SystemCalls.SetFlags(attributes, setSignalDefaults | setSignalMask);
        _ = SystemCalls.EmptySet(signals);
        _ = SystemCalls.SetMask(attributes, signals);
        _ = SystemCalls.FillSet(signals);
        _ = SystemCalls.SetDefaults(attributes, signals);

        nint[] words = Strings(arguments);
        nint[] variables = Strings(Variables());
        int error = SystemCalls.Spawn(out int process, Self, actions, attributes, words, variables);
        _ = SystemCalls.DestroyActions(actions);
        foreach (nint text in words.Concat(variables))
        {
            Marshal.FreeCoTaskMem(text);
        }

        return error == 0 ? process
            : throw new PelicanException(Errors.Local, $"cannot start '{Self}': {Marshal.GetPInvokeErrorMessage(error)}",
                "Start it with --foreground, and put it into the background by other means.");
    }

    // Whatever our caller left open in us must not stay open in the daemon: $(pelican client-api serve) would wait for the
    // end of a pipe that the daemon never closes.
    private static void KeepToOurselves(int pipe)
    {
        const int firstOther = 3, usualLimit = 1024;
        const string open = "/proc/self/fd";
        IEnumerable<int> descriptors = Directory.Exists(open)
            ? Directory.EnumerateFileSystemEntries(open).Select(path => int.Parse(Path.GetFileName(path), CultureInfo.InvariantCulture)).ToArray()
            : Enumerable.Range(0, usualLimit);
        foreach (int descriptor in descriptors.Where(descriptor => descriptor >= firstOther))
        {
            _ = SystemCalls.SetCloseOnExec(descriptor, descriptor != pipe);
        }
    }

    private static IEnumerable<string> Variables() =>
        Environment.GetEnvironmentVariables().Cast<DictionaryEntry>()
            .Where(variable => !NotInherited.Contains((string)variable.Key))
            .Select(variable => $"{variable.Key}={variable.Value}");

    private static nint[] Strings(IEnumerable<string> texts) => [.. texts.Select(Marshal.StringToCoTaskMemUTF8), 0];

    private static unsafe (SafeFileHandle Read, SafeFileHandle Write) NewPipe()
    {
        int* ends = stackalloc int[2];
        return SystemCalls.Pipe(ends, CloseOnExec) == 0
            ? (new SafeFileHandle(ends[0], ownsHandle: true), new SafeFileHandle(ends[1], ownsHandle: true))
            : throw new PelicanException(Errors.Local, $"cannot make a pipe: {Marshal.GetLastPInvokeErrorMessage()}");
    }

    private static SafeFileHandle OpenLog(string path)
    {
        const int writeOnly = 1, create = 0x40, append = 0x400;
        const uint ownerOnly = 0b110_000_000;
        InstanceClaim.Prepare(Path.GetDirectoryName(path)!);
        int descriptor = SystemCalls.Open(path, writeOnly | create | append | CloseOnExec, ownerOnly);
        return descriptor >= 0 ? new SafeFileHandle(descriptor, ownsHandle: true)
            : throw new PelicanException(Errors.Local, $"cannot open the log file '{path}': {Marshal.GetLastPInvokeErrorMessage()}",
                "Name another file with --log-file.");
    }

    private static PelicanException Silent(int process, string logFile)
    {
        _ = SystemCalls.Wait(process, out int status, 0);
        string how = (status & 0x7F) != 0 ? $"signal {status & 0x7F}" : $"exit status {(status >> 8) & 0xFF}";
        return new PelicanException(Errors.Internal, $"the Client API server ended before it was ready ({how})", $"Its log says more: {logFile}");
    }
}
