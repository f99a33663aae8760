using System.CommandLine;
using System.Globalization;
using Pelican.Server;
using Pelican.Transfer;

namespace Pelican.Commands;

/// <summary><c>pelican job</c>: what can be done with the jobs of the Client API server.</summary>
internal static class JobCommand
{
    private const string SeeList = "'pelican job list' shows the ids.";

    /// <summary>Makes the command with its verbs.</summary>
    public static Command Create(CommandHost host) => new Verb("job", "Look after jobs: transfers that the Client API server runs.")
    {
        JobStatusCommand.Create(host),
        JobListCommand.Create(host),
        JobWaitCommand.Create(host),
        JobCancelCommand.Create(host),
        JobPruneCommand.Create(host),
    };

    /// <summary>Takes the only word for the id of a job.</summary>
    /// <exception cref="PelicanException"><see cref="Errors.Parameter"/>: there is none, or more than one.</exception>
    public static string Id(string[] words) => Ids(words) is [string id] ? id
        : throw new PelicanException(Errors.Parameter, $"one job at a time: '{words[1]}' is too many", SeeList);

    /// <summary>Takes the words for ids of jobs.</summary>
    /// <exception cref="PelicanException"><see cref="Errors.Parameter"/>: there is none, or an empty one.</exception>
    public static IReadOnlyList<string> Ids(string[] words) => words.Length > 0 && !words.Contains("") ? words
        : throw new PelicanException(Errors.Parameter, "no job id provided", SeeList);

    /// <summary>Takes a whole number.</summary>
    /// <param name="option">Name of the option, for messages.</param>
    /// <param name="text">What was given; null for nothing.</param>
    /// <param name="usual">What nothing means.</param>
    /// <param name="least">The smallest number that makes sense.</param>
    public static int Number(string option, string? text, int usual, int least) => text is null ? usual
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number >= least ? number
        : throw new PelicanException(Errors.Parameter, $"{option} '{text}' is not a whole number from {least} on");

    /// <summary>Takes a time: <c>90s</c>, <c>1h30m</c>, <c>30d</c>, or a bare number of seconds.</summary>
    /// <param name="option">Name of the option, for messages.</param>
    /// <param name="text">What was given; null for nothing.</param>
    /// <exception cref="PelicanException"><see cref="Errors.Parameter"/>: it is no time, or a negative one.</exception>
    public static TimeSpan? Time(string option, string? text)
    {
        const double MostDays = 36500;
        if (text is null)
        {
            return null;
        }

        TimeSpan? time =
            Number(text) is { } seconds && seconds < MostDays * 86400 ? TimeSpan.FromSeconds(seconds)
            : text.EndsWith('d') && Number(text[..^1]) is { } days && days < MostDays ? TimeSpan.FromDays(days)
            : GoDuration.Parse(text);
        return time >= TimeSpan.Zero ? time
            : throw new PelicanException(Errors.Parameter, $"{option} '{text}' is not a time", "Write 90s, 10m, 1h30m or 30d; a bare number counts seconds.");

        static double? Number(string text) =>
            double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double number) ? number : null;
    }
}
