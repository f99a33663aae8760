using System.CommandLine;

using Pelican.ClientApi;
namespace Pelican.Commands;

/// <summary>Options of the commands that talk to the Client API server.</summary>
internal sealed class DaemonFlags(Verb verb)
{
    private readonly Option<string?> _socket = verb.Value("--socket", "PATH",
        $"Socket of the Client API server (default {ApiSocket.Variable}, else ~/.pelican/client-api.sock)");

    private readonly Option<bool> _start = verb.Switch("--start", $"Start the Client API server if it is not running (also {DaemonAccess.StartVariable}=1)");

    /// <summary>All of them.</summary>
    public IReadOnlyList<Option> Options => [_socket, _start];

    /// <summary>Reads them.</summary>
    public DaemonAccess Read(ParseResult parse) => new(parse.GetValue(_socket), parse.GetValue(_start));
}
