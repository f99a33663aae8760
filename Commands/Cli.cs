namespace Pelican.Commands;

/// <summary>The command line: its root, and the one place where an error becomes an exit status.</summary>
internal static class Cli
{
    /// <summary>Runs one command line.</summary>
    /// <returns>The exit status.</returns>
    public static Task<int> RunAsync(string[] args) => Task.FromResult(args.Length == 0 ? 1 : 0);
}
