using System.CommandLine;
using System.Globalization;
using Pelican.Json;
using Pelican.Server;

namespace Pelican.Commands;

/// <summary>What <c>client-api stop</c> was asked to do.</summary>
/// <param name="Files">Which server.</param>
/// <param name="Timeout">Longest time until it is gone.</param>
internal sealed record StopOptions(InstanceChoice Files, TimeSpan Timeout);

/// <summary><c>pelican client-api stop</c>: ends the server.</summary>
internal static class ClientApiStopCommand
{
    /// <summary>Longer than a server takes that gives up waiting for its transfers.</summary>
    public static readonly TimeSpan DefaultTimeout = TimeSpan.FromSeconds(30);

    /// <summary>Makes the command.</summary>
    public static Command Create(CommandHost host)
    {
        Verb verb = new("stop", "End the Client API server; unfinished jobs go on when it is started again.")
        {
            Details = ["It returns when the process is gone. That no server is running is no error."],
            Examples = [("pelican client-api stop", "end it")],
        };
        ClientApiFlags flags = new(verb);
        Option<string?> timeout = verb.Value("--timeout", "TIME", "Longest time to wait for its end (default 30s)");
        verb.SetAction(host.Action(parse => new StopOptions(flags.Read(parse), JobCommand.Time("--timeout", parse.GetValue(timeout)) ?? DefaultTimeout), RunAsync));
        return verb;
    }

    /// <summary>Ends it.</summary>
    /// <returns>Exit status.</returns>
    public static async Task<int> RunAsync(StopOptions options, Session session, CancellationToken cancellationToken)
    {
        DaemonState state = await ClientApiCommand.Control(options.Files, session).StopAsync(options.Timeout, cancellationToken);
        if (session.Json)
        {
            session.Output.Json(new ServerReport { Running = false, Socket = state.Socket, Pid = state.Pid, Host = state.Elsewhere?.Host }, PelicanJson.Output.ServerReport);
        }
        else if (!session.Quiet)
        {
            session.Output.Line(!state.Alive ? "Client API server is not running"
                : string.Create(CultureInfo.InvariantCulture, $"Client API server stopped (PID: {state.Pid})"));
        }

        ClientApiCommand.ShowElsewhere(session, state);

        return 0;
    }
}
