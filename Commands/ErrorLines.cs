using System.Globalization;
using Pelican.Transfer;

namespace Pelican.Commands;

/// <summary>How an error is told to people: one line that says what happened, then what can be done about it.</summary>
internal static class ErrorLines
{
    private const int MostAttempts = 10;

    /// <summary>The line that scripts look for when the same command can succeed later (cli.md 4).</summary>
    public const string Retryable = "Errors are retryable";

    /// <summary>Writes an error.</summary>
    public static void Show(ConsoleMessages messages, PelicanException error, bool debug)
    {
        messages.Line("Error: " + error.Message);
        if (error.Attempts.Count > 1)
        {
            foreach ((int index, Attempt attempt) in error.Attempts.Index().TakeLast(MostAttempts))
            {
                messages.Line(string.Create(CultureInfo.InvariantCulture,
                    $"  attempt {index + 1}, {attempt.Server}, after {ConsoleText.Elapsed(attempt.Elapsed)}: {attempt.Error ?? "succeeded"}"));
            }
        }

        if (error.NextStep is { } step)
        {
            messages.Line(step);
        }

        if (debug)
        {
            Details(messages, error);
        }
    }

    private static void Details(ConsoleMessages messages, Exception error)
    {
        foreach (string line in error.ToString().Split('\n'))
        {
            messages.Line("  " + line.TrimEnd());
        }
    }
}
