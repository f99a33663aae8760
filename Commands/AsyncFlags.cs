using System.CommandLine;
using Pelican.Transfer;

namespace Pelican.Commands;

/// <summary>How a transfer is handed to the Client API server.</summary>
/// <param name="Wait">Whether to wait for its end.</param>
/// <param name="Timeout">Longest wait; null for no limit.</param>
/// <param name="Label">Name of the job; null for none.</param>
/// <param name="Daemon">Which server.</param>
internal sealed record AsyncOptions(bool Wait, TimeSpan? Timeout, string? Label, DaemonAccess Daemon);

/// <summary>Options of the transfers that the Client API server can run.</summary>
internal sealed class AsyncFlags(Verb verb)
{
    private readonly Option<bool> _async = verb.Switch("--async", "Hand it to the Client API server as a job, and return at once");
    private readonly Option<bool> _wait = verb.Switch("--wait", "With --async: wait until the job is over; Ctrl+C ends only the waiting");
    private readonly Option<string?> _timeout = verb.Value("--timeout", "TIME", "With --wait: stop waiting after so long, such as 90s or 1h30m; the job goes on");
    private readonly Option<string?> _label = verb.Value("--label", "TEXT", "With --async: a name for the job, which 'job list' and 'job status' show");
    private readonly DaemonFlags _daemon = new(verb);

    /// <summary>Reads them; null when the transfer is not for the server.</summary>
    /// <exception cref="PelicanException"><see cref="Errors.Parameter"/>: an option that means nothing without <c>--async</c>.</exception>
    public AsyncOptions? Read(ParseResult parse)
    {
        if (parse.GetValue(_async))
        {
            bool wait = parse.GetValue(_wait);
            return wait || parse.GetValue(_timeout) is null
                ? new AsyncOptions(wait, JobCommand.Time(_timeout.Name, parse.GetValue(_timeout)), parse.GetValue(_label), _daemon.Read(parse))
                : throw new PelicanException(Errors.Parameter, $"{_timeout.Name} goes with --wait", "Add --wait, or leave it out.");
        }

        Option? stray = Array.Find<Option>([_wait, _timeout, _label, .. _daemon.Options], option => parse.GetResult(option) is { Implicit: false });
        return stray is null ? null
            : throw new PelicanException(Errors.Parameter, $"{stray.Name} goes with --async", "Add --async, or leave it out.");
    }
}
