using System.Diagnostics;

namespace Pelican.Commands;

/// <summary>How a run of this same program ended.</summary>
/// <param name="ExitStatus">Its exit status.</param>
/// <param name="Error">What it said on standard error.</param>
internal sealed record OwnRun(int ExitStatus, string Error)
{
    /// <summary>Runs this program again.</summary>
    /// <param name="arguments">Arguments, without the name of the program.</param>
    /// <param name="cancellationToken">Ends the waiting for it, not the program.</param>
    public static async Task<OwnRun> RunAsync(IReadOnlyList<string> arguments, CancellationToken cancellationToken)
    {
        ProcessStartInfo start = new(Environment.ProcessPath!, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using Process process = Process.Start(start)!;
        process.StandardInput.Close();
        Task<string> output = process.StandardOutput.ReadToEndAsync(cancellationToken);
        string error = await process.StandardError.ReadToEndAsync(cancellationToken);
        await output;
        await process.WaitForExitAsync(cancellationToken);
        return new OwnRun(process.ExitCode, error);
    }
}
