using System.CommandLine;
using Pelican.Server;
using Pelican.Transfer;

namespace Pelican.Commands;

/// <summary>Which Client API server is meant.</summary>
/// <param name="Socket"><c>--socket</c>; null for the usual places.</param>
internal sealed record DaemonOptions(string? Socket)
{
    /// <summary>Makes a client; connects to nothing yet.</summary>
    public DaemonClient Open(Surroundings world) => new(Find(world), world.Clock);

    private DaemonSocket Find(Surroundings world) =>
        (Socket ?? NonEmpty(world.Variable(DaemonSocket.Variable))) is { } named
            ? DaemonSocket.At(world.Absolute(named))
            : DaemonSocket.Usual(Home(world), Environment.MachineName);

    /// <summary>The caller's home directory.</summary>
    public static string Home(Surroundings world) => NonEmpty(world.Variable("HOME")) ?? Account.NoHome;

    private static string? NonEmpty(string? value) => string.IsNullOrEmpty(value) ? null : value;
}

/// <summary>Options of the commands that talk to the Client API server.</summary>
internal sealed class DaemonFlags(Verb verb)
{
    /// <summary><c>--socket</c>.</summary>
    public Option<string?> Socket { get; } = verb.Value("--socket", "PATH",
        $"Socket of the Client API server (default {DaemonSocket.Variable}, else ~/.pelican/client-api.sock)");

    /// <summary>Reads them.</summary>
    public DaemonOptions Read(ParseResult parse) => new(parse.GetValue(Socket));
}
