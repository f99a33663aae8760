using Pelican.ClientApi;
using Pelican.Server;
using Pelican.Transfer;

namespace Pelican.Commands;

/// <summary>Which Client API server is meant, and what to do when it is not running.</summary>
/// <param name="Socket"><c>--socket</c>; null for the usual places.</param>
/// <param name="Start"><c>--start</c>.</param>
internal sealed record DaemonAccess(string? Socket, bool Start)
{
    /// <summary>Environment variable that stands for <c>--start</c>.</summary>
    public const string StartVariable = "PELICAN_CLIENT_API_AUTOSTART";

    /// <summary>Nearly every answer is there by then; after it, Ctrl+C must be heard.</summary>
    private static readonly TimeSpan AnswersSoon = TimeSpan.FromMilliseconds(100);

    /// <summary>Makes a client; connects to nothing yet.</summary>
    public ApiClient Open(Session session)
    {
        Surroundings world = session.World;
        bool start = Start
            || (NonEmpty(world.Variable(StartVariable)) is { } text && new SettingValue(StartVariable, [text], "environment").Flag);
        return new ApiClient(new ApiClientOptions
        {
            Socket = Find(session),
            Clock = world.Clock,
            Holds = AnswersSoon,
            Start = start ? token => StartAsync(session, token) : null,
        });
    }

    /// <summary>The caller's home directory.</summary>
    public static string Home(Surroundings world) => NonEmpty(world.Variable("HOME")) ?? Account.NoHome;

    // As the server finds its own: an option, else the setting, which is PELICAN_CLIENT_API_SOCKET before ClientApi.Socket.
    private ApiSocket Find(Session session) =>
        Socket is "" ? throw new PelicanException(Errors.Parameter, "--socket: the path is empty", "Name a socket, or leave it out.")
        : Socket is { } named ? ApiSocket.At(session.World.Absolute(named))
        : session.Configuration.Server.Files.Socket is { } set ? ApiSocket.At(set)
        : Usual(Home(session.World));

    // A server whose socket alone was chosen with --socket is known from what is written beside its PID file.
    private static ApiSocket Usual(string home)
    {
        var usual = ApiSocket.Below(home, ApiSocket.HostName());
        return !usual.Paths.Any(File.Exists)
            && Instance.Read(Path.Combine(home, ".pelican", "client-api.json")) is { } record && HostIdentity.Read().Runs(record)
            ? ApiSocket.At(record.Socket)
            : usual;
    }

    private async Task<string?> StartAsync(Session session, CancellationToken cancellationToken)
    {
        string[] socket = Socket is null ? [] : ["--socket", session.World.Absolute(Socket)];
        BatchJob.WarnOfServer(() => ClientApiCommand.Paths(new InstanceChoice { Socket = Socket }, session), session);
        string[] config = session.Configuration.File is { } file ? ["--config", file] : [];
        OwnRun run = await session.World.RunSelf(["client-api", "serve", .. socket, .. config], cancellationToken);
        return run.ExitStatus == 0 ? null : string.Join("; ", run.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    private static string? NonEmpty(string? value) => string.IsNullOrEmpty(value) ? null : value;
}
