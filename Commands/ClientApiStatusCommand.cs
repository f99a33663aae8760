using System.CommandLine;
using System.Globalization;
using Pelican.Json;
using Pelican.Server;
using Pelican.Transfer;

namespace Pelican.Commands;

/// <summary><c>pelican client-api status</c>: whether the server runs.</summary>
internal static class ClientApiStatusCommand
{
    /// <summary>Makes the command.</summary>
    public static Command Create(CommandHost host)
    {
        Verb verb = new("status", "Tell whether the Client API server is running.")
        {
            Details = [$"The exit status is 0 when it is, and {Errors.ServerNotRunning.ExitStatus} when it is not, or does not answer."],
            Examples = [("pelican client-api status || pelican client-api serve", "start it if it is not running")],
        };
        ClientApiFlags flags = new(verb);
        verb.SetAction(host.Action(flags.Read, RunAsync));
        return verb;
    }

    /// <summary>Asks and tells.</summary>
    /// <returns>Exit status.</returns>
    public static async Task<int> RunAsync(InstanceChoice flags, Session session, CancellationToken cancellationToken)
    {
        DaemonState state = await ClientApiCommand.Control(flags, session).FindAsync(cancellationToken);
        ServerReport report = ReportOf(state);
        if (state.Health is { } health)
        {
            ClientApiCommand.Show(session, report, "is running");
            if (health.Version != InstanceClaim.Version)
            {
                session.Messages.Warning($"the server is version {health.Version}, and this program {InstanceClaim.Version}: 'pelican client-api restart' brings them together");
            }

            return 0;
        }

        if (state.Alive)
        {
            throw new PelicanException(Errors.ServerUnresponsive,
                string.Create(CultureInfo.InvariantCulture, $"Client API server is running (PID: {report.Pid}) but does not answer on '{state.Socket}'"),
                "Try again; if that does not help: pelican client-api restart");
        }

        if (session.Json)
        {
            session.Output.Json(report, PelicanJson.Output.ServerReport);
        }
        else if (!session.Quiet)
        {
            session.Output.Line("Client API server is not running");
        }

        ClientApiCommand.ShowElsewhere(session, state);
        return Errors.ServerNotRunning.ExitStatus;
    }

    /// <summary>What is told of a server that was looked for.</summary>
    public static ServerReport ReportOf(DaemonState state) => new()
    {
        Running = state.Health is not null,
        Socket = state.Socket,
        Pid = state.Pid,
        Host = state.Health?.Host ?? state.Record?.Host,
        Version = state.Health?.Version ?? state.Record?.Version,
        UptimeSeconds = state.Health?.UptimeSeconds,
        PidFile = state.Record?.PidFile,
        Database = state.Health?.Database ?? state.Record?.Database,
        LogFile = state.Record?.LogFile,
    };
}
