using System.CommandLine;
using System.Globalization;
using Pelican.Json;
using Pelican.Server;
using Pelican.Transfer;

namespace Pelican.Commands;

/// <summary><c>pelican client-api</c>, and <c>client-agent</c> as today's Pelican calls it: the server for jobs.</summary>
internal static class ClientApiCommand
{
    /// <summary>Makes the command with its verbs.</summary>
    /// <param name="host">What the commands share.</param>
    /// <param name="name">Its name; the alias is not in the help.</param>
    /// <param name="start">Name of the verb that starts the server.</param>
    public static Command Create(CommandHost host, string name, string start) => new Verb(name, "Run the Client API server, which transfers in the background.")
    {
        ClientApiServeCommand.Create(host, start),
        ClientApiStatusCommand.Create(host),
        ClientApiStopCommand.Create(host),
        ClientApiServeCommand.CreateRestart(host),
        ClientApiOpenApiCommand.Create(host),
    }.HiddenIf(name != "client-api");

    /// <summary>The files of the server that is meant.</summary>
    /// <param name="flags">What the command line names; it goes before the settings.</param>
    /// <param name="session">The run.</param>
    /// <returns>Absolute.</returns>
    public static InstanceChoice Choice(InstanceChoice flags, Session session)
    {
        InstanceChoice settings = session.Configuration.Server.Files;
        return new InstanceChoice
        {
            Socket = Absolute(flags.Socket) ?? settings.Socket,
            PidFile = Absolute(flags.PidFile) ?? settings.PidFile,
            Database = Absolute(flags.Database) ?? settings.Database,
            LogFile = Absolute(flags.LogFile) ?? session.Configuration.LogFile,
        };

        string? Absolute(string? path) => path switch
        {
            null => null,
            "" => throw new PelicanException(Errors.Parameter, "a path is empty"),
            _ => session.World.Absolute(path),
        };
    }

    /// <summary>All files of the server that is meant.</summary>
    public static InstancePaths Paths(InstanceChoice flags, Session session) =>
        InstancePaths.Resolve(Choice(flags, session), Home(session), HostIdentity.Read());

    /// <summary>What finds and ends the server.</summary>
    public static DaemonControl Control(InstanceChoice flags, Session session)
    {
        bool socketChosen = Choice(flags, session).Socket is not null;
        return new DaemonControl(Paths(flags, session), socketChosen, HostIdentity.Read(), session.World.Clock);
    }

    /// <summary>The home directory; null where there is none.</summary>
    public static string? Home(Session session) => session.World.Variable("HOME");

    /// <summary>Says that a server is on another host, where it can be used and ended, if so.</summary>
    public static void ShowElsewhere(Session session, DaemonState state)
    {
        if (state.Elsewhere is { } record)
        {
            session.Messages.Line(string.Create(CultureInfo.InvariantCulture, $"One was started on {record.Host} (PID: {record.Pid}): use and stop it there."));
        }
    }

    /// <summary>Says that a server runs.</summary>
    public static void Show(Session session, ServerReport report, string what)
    {
        if (session.Json)
        {
            session.Output.Json(report, PelicanJson.Output.ServerReport);
        }
        else if (!session.Quiet)
        {
            session.Output.Line($"Client API server {what} (PID: {report.Pid})");
            session.Output.Line($"Socket: {report.Socket}");
        }

        session.Output.Flush();
    }

    private static Verb HiddenIf(this Verb verb, bool hidden)
    {
        verb.Hidden = hidden;
        return verb;
    }
}

/// <summary>Options that say which server is meant.</summary>
internal sealed class ClientApiFlags(Verb verb)
{
    private readonly Option<string?> _socket = verb.Value("--socket", "PATH", "Unix socket (default PELICAN_CLIENT_API_SOCKET, else ~/.pelican/client-api.sock)");
    private readonly Option<string?> _pidFile = verb.Value("--pid-file", "PATH", "File with the process id (default ~/.pelican/client-api.pid)");

    /// <summary>Reads them.</summary>
    public InstanceChoice Read(ParseResult parse) => new() { Socket = parse.GetValue(_socket), PidFile = parse.GetValue(_pidFile) };
}
