using System.CommandLine;
using Pelican.Json;
using Pelican.Transfer;

namespace Pelican.Commands;

/// <summary>What <c>object delete</c> was asked to do.</summary>
internal sealed record DeleteOptions
{
    public required IReadOnlyList<string> Urls { get; init; }

    public string? TokenFile { get; init; }
}

/// <summary><c>pelican object delete</c>: removes objects and empty collections.</summary>
internal static class ObjectDeleteCommand
{
    /// <summary>Makes the command.</summary>
    public static Command Create(CommandHost host)
    {
        Verb verb = new("delete", "Remove objects and empty collections.")
        {
            Usage = "<object>...",
            Details = ["They are removed in the order given, so that a collection may follow its last object. Copies in caches may stay"
                + " for a while."],
            Examples =
            [
                ("pelican object delete osdf:///ospool/data/run1.dat", "one object"),
                ("pelican object delete -t token osdf:///ns/old/a osdf:///ns/old", "an object, then its collection"),
            ],
        };
        Argument<string[]> words = verb.Words("object");
        Option<string?> token = verb.Value("--token", "FILE", "File with the token", "-t");
        verb.Refuse("--recursive", "this is not there yet", "Delete the objects one by one for now.", aliases: "-r");
        verb.SetAction(host.Action(
            parse => new DeleteOptions
            {
                Urls = parse.GetValue(words) is { Length: > 0 } urls ? urls : throw ObjectWords.Missing("no object provided", "delete"),
                TokenFile = parse.GetValue(token),
            },
            RunAsync));
        return verb;
    }

    /// <summary>Removes, one after the other; one that fails does not stop the others.</summary>
    /// <returns>Exit status: 0, or that of the worst failure.</returns>
    public static async Task<int> RunAsync(DeleteOptions options, Session session, CancellationToken cancellationToken)
    {
        foreach (string url in options.Urls)
        {
            _ = ObjectUrl.Parse(url, session.Configuration.Client);
        }

        TransferOptions transfer = new() { TokenFile = ObjectWords.TokenFile(options.TokenFile, session.World) };
        TransferTally tally = new(options.Urls.Count);
        foreach (string url in options.Urls)
        {
            try
            {
                await session.Federation.DeleteAsync(url, transfer, cancellationToken);
            }
            catch (PelicanException e)
            {
                tally.Add(e);
                session.Failed(e, url);
                continue;
            }

            if (session.Json)
            {
                session.Output.Json(new DeletionReport(url), PelicanJson.Output.DeletionReport);
                session.Output.Flush();
            }

            session.Summary($"Deleted {url}");
        }

        if (tally.Retryable)
        {
            session.Messages.Line(ErrorLines.Retryable);
        }

        return tally.ExitStatus;
    }
}
