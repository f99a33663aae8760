using System.CommandLine;
using Pelican.Json;
using Pelican.Transfer;

namespace Pelican.Commands;

/// <summary>What <c>object delete</c> was asked to do.</summary>
internal sealed record DeleteOptions
{
    public required IReadOnlyList<string> Urls { get; init; }

    public string? TokenFile { get; init; }

    public bool Recursive { get; init; }

    public bool DryRun { get; init; }
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
            Details =
            [
                "They are removed in the order given, so that a collection may follow its last object. Copies in caches may stay for a while.",
                "With -r, or '?recursive' at the end of the URL, a collection goes with everything in it, but never the root of a namespace. What"
                + " cannot be removed stays, and so do the collections that it is in.",
            ],
            Examples =
            [
                ("pelican object delete osdf:///ospool/data/run1.dat", "one object"),
                ("pelican object delete -t token osdf:///ns/old/a osdf:///ns/old", "an object, then its collection"),
                ("pelican object delete -r osdf:///ns/old", "a collection with everything in it"),
                ("pelican object delete -r --dry-run osdf:///ns/old", "what that would remove"),
            ],
        };
        Argument<string[]> words = verb.Words("object");
        Option<string?> token = verb.Value("--token", "FILE", "File with the token", "-t");
        Option<bool> recursive = verb.Switch("--recursive", "Remove collections with everything in them", "-r");
        Option<bool> dryRun = verb.Switch("--dry-run", "Say what would be removed; remove nothing");
        verb.SetAction(host.Action(
            parse => new DeleteOptions
            {
                Urls = parse.GetValue(words) is { Length: > 0 } urls ? urls : throw ObjectWords.Missing("no object provided", "delete"),
                TokenFile = parse.GetValue(token),
                Recursive = parse.GetValue(recursive),
                DryRun = parse.GetValue(dryRun),
            },
            RunAsync));
        return verb;
    }

    /// <summary>Removes, one after the other; one that fails does not stop the others.</summary>
    /// <returns>Exit status: 0, or that of the worst failure.</returns>
    public static async Task<int> RunAsync(DeleteOptions options, Session session, CancellationToken cancellationToken)
    {
        ObjectUrl[] urls = [.. options.Urls.Select(url => ObjectWords.Url(url, session))];
        TransferOptions transfer = new() { TokenFile = ObjectWords.TokenFile(options.TokenFile, session.World) };
        TransferTally tally = new(options.Urls.Count);
        foreach (ObjectUrl url in urls)
        {
            try
            {
                bool recursive = options.Recursive || url.Recursive;
                await (options.DryRun ? new DeletionPreview(transfer, session).TellAsync(url, recursive, cancellationToken)
                    : recursive ? DeleteTreeAsync(url, transfer, tally, session, cancellationToken)
                    : DeleteAsync(url, transfer, session, cancellationToken));
            }
            catch (PelicanException e)
            {
                Failed(e, url.Text, tally, session);
            }
        }

        if (tally.Retryable)
        {
            session.Messages.Line(ErrorLines.Retryable);
        }

        return tally.ExitStatus;
    }

    private static async Task DeleteAsync(ObjectUrl url, TransferOptions options, Session session, CancellationToken cancellationToken)
    {
        await session.Federation.DeleteAsync(url.Text, options, cancellationToken);
        Report(url.Text, session);
        session.Summary($"Deleted {url.Text}");
    }

    private static async Task DeleteTreeAsync(
        ObjectUrl url, TransferOptions options, TransferTally tally, Session session, CancellationToken cancellationToken)
    {
        Lock turn = new();
        TreeProgress progress = new();
        try
        {
            await session.Federation.DeleteTreeAsync(url.Text, options, (item, failure) =>
            {
                lock (turn)
                {
                    if (failure is null)
                    {
                        Report(item.Source, session);
                    }
                    else
                    {
                        Failed(failure, item.Source, tally, session);
                    }
                }
            }, progress, cancellationToken);
        }
        finally
        {
            TreeResult result = progress.Now();
            string failed = result.Failed > 0 ? $"; {result.Failed} failed" : "";
            if (result.TotalObjects + result.Collections > 0)
            {
                session.Summary($"Deleted {ConsoleSummary.Count(result.Objects, "object")} and {ConsoleSummary.Count(result.Collections, "collection")} of {url.Text}{failed}");
            }
        }
    }

    private static void Report(string deleted, Session session)
    {
        if (session.Json)
        {
            session.Output.Json(new DeletionReport(deleted), PelicanJson.Output.DeletionReport);
            session.Output.Flush();
        }
    }

    private static void Failed(PelicanException failure, string source, TransferTally tally, Session session)
    {
        tally.Add(failure);
        session.Failed(failure, source);
    }
}
