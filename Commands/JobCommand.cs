using System.CommandLine;
using Pelican.Transfer;

namespace Pelican.Commands;

/// <summary><c>pelican job</c>: what can be done with the jobs of the Client API server.</summary>
internal static class JobCommand
{
    /// <summary>Makes the command with its verbs.</summary>
    public static Command Create(CommandHost host) => new Verb("job", "Look after jobs: transfers that the Client API server runs.")
    {
        JobStatusCommand.Create(host),
        JobListCommand.Create(host),
        JobWaitCommand.Create(host),
        JobCancelCommand.Create(host),
    };

    /// <summary>Takes the only word for the id of a job.</summary>
    /// <exception cref="PelicanException"><see cref="Errors.Parameter"/>: there is none, or more than one.</exception>
    public static string Id(string[] words) => words switch
    {
        [{ Length: > 0 } id] => id,
        [] or [""] => throw Bad("no job id provided"),
        _ => throw Bad($"one job at a time: '{words[1]}' is too many"),
    };

    /// <summary>Takes a whole number.</summary>
    /// <param name="option">Name of the option, for messages.</param>
    /// <param name="text">What was given; null for nothing.</param>
    /// <param name="usual">What nothing means.</param>
    /// <param name="least">The smallest number that makes sense.</param>
    public static int Number(string option, string? text, int usual, int least) => text is null ? usual
        : int.TryParse(text, out int number) && number >= least ? number
        : throw new PelicanException(Errors.Parameter, $"{option} '{text}' is not a whole number from {least} on");

    private static PelicanException Bad(string what) => new(Errors.Parameter, what, "'pelican job list' shows the ids.");
}
