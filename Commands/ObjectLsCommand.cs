using System.CommandLine;
using System.Globalization;
using Pelican.Json;
using Pelican.Transfer;

namespace Pelican.Commands;

/// <summary>What <c>object ls</c> was asked to do.</summary>
internal sealed record LsOptions
{
    public required string Url { get; init; }

    public string? TokenFile { get; init; }

    public bool Long { get; init; }

    public bool HumanReadable { get; init; }

    public bool SingleColumn { get; init; }

    public bool CollectionsOnly { get; init; }

    public bool ObjectsOnly { get; init; }
}

/// <summary><c>pelican object ls</c>: what is in a collection.</summary>
internal static class ObjectLsCommand
{
    /// <summary>Makes the command.</summary>
    public static Command Create(CommandHost host)
    {
        Verb verb = new("ls", "List a collection.")
        {
            Usage = "<collection>",
            Details =
            [
                "Names are sorted. On a terminal they stand in columns, otherwise one a line, and as URLs take them: %, ? and # are %25, %3F and"
                + " %23; control characters are spelled out (\\x1b). With --json the names are exact: an array of names, with -l an array of"
                + " {Name, Size, ModTime, IsCollection, etag}. Times are local.",
            ],
            Examples =
            [
                ("pelican object ls osdf:///ospool/data", "names"),
                ("pelican object ls -l pelican://fed.example.org/ns", "path, size and time of each"),
                ("pelican object ls -lh pelican://fed.example.org/ns", "the same with sizes such as 1.5 GB"),
                ("pelican object ls -O --json osdf:///ospool/data | jq -r '.[]'", "objects only, for a program"),
            ],
        };
        Argument<string[]> words = verb.Words("collection");
        Option<bool> longForm = verb.Switch("--long", "Full path, size and time of each", "-l");
        Option<bool> human = verb.Switch("--human-readable", "With -l: sizes in units, such as 1.5 GB", "-h");
        verb.Switch("--all", "Changes nothing: names that begin with a dot are always shown", "-a");
        Option<bool> single = verb.Switch("--single-column", "One name a line", "-1");
        Option<bool> collections = verb.Switch("--collection-only", "Collections only", "-C");
        Option<bool> objects = verb.Switch("--object-only", "Objects only", "-O");
        Option<string?> token = verb.Value("--token", "FILE", "File with the token", "-t");
        verb.Refuse("--recursive", "this is not there yet",
            "List the collections one by one, or all that is in them: 'pelican object get -r --dry-run <collection> .'", aliases: ["-r", "-R"]);
        verb.SetAction(host.Action(Read, RunAsync));
        return verb;

        LsOptions Read(ParseResult parse)
        {
            if (parse.GetValue(collections) && parse.GetValue(objects))
            {
                throw new PelicanException(Errors.Parameter, "cannot specify both --collection-only (-C) and --object-only (-O)",
                    "Leave both out to see both.");
            }

            return new LsOptions
            {
                Url = ObjectWords.One(parse.GetValue(words) ?? [], "ls"),
                TokenFile = parse.GetValue(token),
                Long = parse.GetValue(longForm),
                HumanReadable = parse.GetValue(human),
                SingleColumn = parse.GetValue(single),
                CollectionsOnly = parse.GetValue(collections),
                ObjectsOnly = parse.GetValue(objects),
            };
        }
    }

    /// <summary>Lists.</summary>
    /// <returns>Exit status.</returns>
    public static async Task<int> RunAsync(LsOptions options, Session session, CancellationToken cancellationToken)
    {
        _ = ObjectWords.Url(options.Url, session);
        TransferOptions transfer = new() { TokenFile = ObjectWords.TokenFile(options.TokenFile, session.World) };
        IReadOnlyList<ObjectInfo> listing = await session.Federation.ListAsync(options.Url, transfer, cancellationToken);
        Print(options, listing, session);
        return 0;
    }

    /// <summary>Prints what is wanted of a listing.</summary>
    internal static void Print(LsOptions options, IReadOnlyList<ObjectInfo> listing, Session session)
    {
        ObjectInfo[] wanted = [.. listing
            .Where(info => info.IsCollection ? !options.ObjectsOnly : !options.CollectionsOnly)
            .OrderBy(info => info.Name, StringComparer.Ordinal)];
        switch (options)
        {
            case { Long: true } when session.Json:
                session.Output.Json([.. wanted.Select(Reports.Of)], PelicanJson.Output.IReadOnlyListObjectEntry);
                break;
            case { Long: true }:
                Lines(ConsoleColumns.Table([.. wanted.Select(info => Row(info, options.HumanReadable, session.World.Clock.LocalTimeZone))]), session);
                break;
            case { Long: false } when session.Json:
                session.Output.Json([.. wanted.Select(info => info.Name)], PelicanJson.Output.IReadOnlyListString);
                break;
            default:
                string[] names = [.. wanted.Select(info => ConsoleText.InUrl(info.Name))];
                bool columns = session.World.OutputIsTerminal && !options.SingleColumn;
                Lines(columns ? ConsoleColumns.Fill(names, session.World.TerminalSize().Columns) : names, session);
                break;
        }
    }

    private static void Lines(IEnumerable<string> lines, Session session)
    {
        foreach (string line in lines)
        {
            session.Output.Line(line);
        }
    }

    private static string[] Row(ObjectInfo info, bool humanReadable, TimeZoneInfo zone) =>
    [
        ConsoleText.InUrl(info.Path),
        info.IsCollection ? "DIR" : info.Size is not { } size ? "-" : humanReadable ? ConsoleText.Size(size) : size.ToString(CultureInfo.InvariantCulture),
        info.Modified is { } time ? ConsoleText.Time(time, zone) : "-",
    ];
}
