using System.CommandLine;
using Pelican.Transfer;

namespace Pelican.Commands;

/// <summary>What <c>object get</c> was asked to do.</summary>
internal sealed record GetOptions
{
    public required IReadOnlyList<string> Sources { get; init; }

    public required string Destination { get; init; }

    public string? TokenFile { get; init; }

    public IReadOnlyList<string>? Caches { get; init; }

    public bool Recursive { get; init; }

    public bool Direct { get; init; }

    public bool Overwrite { get; init; }

    public bool RequireChecksum { get; init; }

    public bool DryRun { get; init; }

    public string? StatsFile { get; init; }

    /// <summary>How to hand it to the Client API server; null to do it here.</summary>
    public AsyncOptions? Async { get; init; }
}

/// <summary><c>pelican object get</c>: objects to files, or one to standard output.</summary>
internal static class ObjectGetCommand
{
    /// <summary>Makes the command.</summary>
    public static Command Create(CommandHost host)
    {
        Verb verb = new("get", "Download objects.")
        {
            Usage = "<source>... <destination>",
            Details =
            [
                "A source is the URL of an object: pelican://<federation>/<path>, osdf:///<path>, or with -f a bare /<path>."
                + " The destination is a file, a directory that receives the objects under their own names, or '-' for standard output."
                + " Directories on the way to it are made; several sources need one that is there.",
                "With -r, or '?recursive' at the end of the URL, a source may be a collection: everything in it lands flat in the"
                + " destination, which is made if it is not there, with a directory for each collection in it, empty ones included. Several"
                + " sources are laid over one another; what would get one name is reported and not downloaded. Links below the destination are"
                + " not followed. An object that fails does not stop the others.",
                "A file gets its name only when it is complete and, where a server has a checksum, verified. A download that was"
                + " interrupted goes on where it stopped when the same command is given again. With -r, files that a server's checksum proves to be"
                + " the same already stay as they are; others are replaced.",
            ],
            Examples = Examples,
        };
        Argument<string[]> words = verb.Words("source");
        Option<string?> caches = verb.Value("--cache", "LIST",
            "Servers to use first, with commas between them; a last '+' adds the director's", "-c");
        Option<string?> token = verb.Value("--token", "FILE", "File with the token", "-t");
        Option<string?> sourceToken = verb.Value("--source-token", "FILE", "The same; stronger than --token");
        Option<bool> recursive = verb.Switch("--recursive", "Download collections with everything in them", "-r");
        Option<bool> direct = verb.Switch("--direct", "Read from an origin, not from a cache");
        Option<bool> overwrite = verb.Switch("--overwrite", "Replace read-only files, too");
        Option<bool> requireChecksum = verb.Switch("--require-checksum", "Fail where no server has a checksum to compare with");
        Option<bool> dryRun = verb.Switch("--dry-run", "Say what would be downloaded, and where to; write nothing");
        Option<string?> stats = verb.Value("--transfer-stats", "FILE", "Write details of each transfer to a file, as JSON");
        AsyncFlags job = new(verb);
        verb.Refuse("--pack", "this is not there yet", "Download the archive and unpack it.", takesValue: true);
        verb.Refuse("--inplace", "a file under its final name must never be half-written",
            "Leave the option out: an interrupted download goes on where it stopped all the same.");
        verb.SetAction(host.Action(Read, RunAsync, Files));
        return verb;

        GetOptions Read(ParseResult parse)
        {
            (IReadOnlyList<string> sources, string destination) = ObjectWords.Split(parse.GetValue(words) ?? [], "get");
            return new GetOptions
            {
                Sources = sources,
                Destination = destination,
                TokenFile = parse.GetValue(sourceToken) ?? parse.GetValue(token),
                Caches = parse.GetValue(caches) is { } list ? CacheList.Parse(list) : null,
                Recursive = parse.GetValue(recursive),
                Direct = parse.GetValue(direct),
                Overwrite = parse.GetValue(overwrite),
                RequireChecksum = parse.GetValue(requireChecksum),
                DryRun = parse.GetValue(dryRun),
                StatsFile = parse.GetValue(stats),
                Async = job.Read(parse),
            };
        }
    }

    private static IReadOnlyList<(string Command, string Meaning)> Examples { get; } =
    [
        ("pelican object get osdf:///ospool/data/run1.dat .", "one object, into the current directory"),
        ("pelican object get osdf:///ospool/data/run1.dat osdf:///ospool/data/run2.dat data/", "several objects at once"),
        ("pelican object get -r osdf:///ospool/data/run1 run1", "a collection, into the directory run1"),
        ("pelican object get --direct pelican://fed.example.org/ns/list.txt - | sort", "from the origin, to a pipe"),
        ("pelican object get --async osdf:///ospool/data/run1.dat /scratch/", "as a job of the Client API server, which goes on without you"),
        ("pelican object get -t token -c cache-a.example.org:8443,+ osdf:///ns/run1.dat /scratch/run1.dat",
            "with a token, from one cache if it works, else from the director's choice"),
    ];

    /// <summary>Local files that a download reads, or writes to.</summary>
    public static IEnumerable<string?> Files(GetOptions options) =>
        [options.Destination, .. options.Sources.Select(source => $"{options.Destination}/{source.Split('?')[0].TrimEnd('/').Split('/')[^1]}"), options.TokenFile];

    /// <summary>Downloads.</summary>
    /// <returns>Exit status.</returns>
    public static Task<int> RunAsync(GetOptions options, Session session, CancellationToken cancellationToken)
    {
        options = options.Async is null ? options with { Destination = ObjectWords.Output(options.Destination) } : options;
        CheckFlags(options, session);
        string? stats = options.StatsFile is null ? null : session.World.Absolute(options.StatsFile);
        OutputFiles.Refuse("the statistics file", stats, Files(options).Append(session.Configuration.LogFile).OfType<string>().Select(session.World.Absolute));
        RefuseRemote(options);
        ObjectUrl[] urls = [.. options.Sources.Select(source => CheckSource(source, options, session))];
        bool recursive = ObjectWords.IsRecursive(options.Recursive, urls);
        string[] trees = recursive ? [session.World.Absolute(options.Destination)] : [];
        OutputFiles.RefuseWithin("the statistics file", stats, trees, "an object may get its name");
        OutputFiles.RefuseWithin("the log file", session.Configuration.LogFile, trees, "an object may get its name");
        CheckDestination(options, recursive, session);
        if (options.Async is { } job)
        {
            return JobSubmission.GetAsync(options with { Recursive = recursive }, job, session, cancellationToken);
        }

        TransferOptions transfer = new()
        {
            TokenFile = ObjectWords.TokenFile(options.TokenFile, session.World),
            Caches = options.Caches,
            DirectRead = options.Direct,
            Overwrite = options.Overwrite,
            RequireChecksum = options.RequireChecksum,
            FileMode = session.World.NewFileMode(),
            DryRun = options.DryRun,
        };
        bool toOutput = options.Destination == ObjectWords.StandardOutput;
        string destination = toOutput ? "/dev/stdout" : session.World.Absolute(options.Destination);
        TransferPlan plan = new()
        {
            Upload = false,
            Sources = options.Sources,
            UrlOf = source => source,
            NameOf = source => NameOf(source, session),
            Move = (source, progress, token) => toOutput && !options.DryRun
                ? session.Federation.GetToStreamAsync(source, session.World.Output, transfer, progress, token)
                : session.Federation.GetAsync(source, destination, transfer, progress, token),
            Tree = recursive
                ? (listener, progress, token) => session.Federation.GetTreeAsync(options.Sources, destination, transfer, listener, progress, token)
                : null,
            DryRun = options.DryRun,
            ToStandardOutput = toOutput,
            StatsFile = options.StatsFile is { } file ? session.World.Absolute(file) : null,
        };
        return new TransferBatch(session, plan).RunAsync(cancellationToken);
    }

    private static void CheckFlags(GetOptions options, Session session)
    {
        if (options is { Direct: true, Caches: not null })
        {
            throw new PelicanException(Errors.Parameter, "--direct and --cache exclude each other: one avoids caches, the other names one",
                "Give one of them.");
        }

        if (options.Destination == ObjectWords.StandardOutput && options.Sources.Count > 1)
        {
            throw new PelicanException(Errors.Parameter, "standard output takes one object, not several", "Call pelican once for each.");
        }

        if (options.Destination == ObjectWords.StandardOutput && session.Json)
        {
            throw new PelicanException(Errors.Parameter, "the object itself goes to standard output, so --json cannot go there too",
                "Write the report to a file with --transfer-stats instead.");
        }
    }

    private static void RefuseRemote(GetOptions options)
    {
        if (ObjectUrl.IsRemote(options.Destination))
        {
            string swapped = options.Sources.Any(ObjectUrl.IsRemote) ? "" : $"; to download, the URL comes first: pelican object get '{options.Destination}' '{options.Sources[0]}'";
            throw new PelicanException(Errors.Parameter, $"the destination '{options.Destination}' is a URL, and get writes files",
                $"To upload use 'pelican object put'{swapped}; a file of that name is ./{options.Destination}");
        }
    }

    private static ObjectUrl CheckSource(string source, GetOptions options, Session session)
    {
        ObjectUrl url = ObjectWords.Url(source, session);
        if (url.Path == ObjectPath.Root)
        {
            throw new PelicanException(Errors.Parameter, $"the URL '{source}' names no object", "Add the path of an object.");
        }

        if (options.Direct && url.Query.Split('&').Any(part => part.Split('=')[0] == "prefercached"))
        {
            throw new PelicanException(Errors.Parameter, "Cannot use --direct flag with URLs that have '?prefercached' query parameter",
                "Give one of them.");
        }

        return url;
    }

    private static void CheckDestination(GetOptions options, bool recursive, Session session)
    {
        if (options.Destination == ObjectWords.StandardOutput)
        {
            if (recursive)
            {
                throw new PelicanException(Errors.Parameter, "standard output takes one object, not a collection", "Name a directory.");
            }

            return;
        }

        string destination = session.World.Absolute(options.Destination);
        if (destination.Contains('\uFFFD', StringComparison.Ordinal))
        {
            // What .NET makes of bytes that are no UTF-8: another file of that very look would be made.
            throw new PelicanException(Errors.Parameter, $"the destination '{options.Destination}' is not UTF-8", "Choose, or rename, a directory whose name is.");
        }

        if (options.Sources.Count > 1)
        {
            if (!Directory.Exists(destination))
            {
                throw File.Exists(destination)
                    ? new PelicanException(Errors.Parameter, $"Destination is not a directory: '{options.Destination}'",
                        "Several sources need a directory.")
                    : new PelicanException(Errors.LocalFileNotFound, $"Destination does not exist: '{options.Destination}'",
                        $"Several sources need a directory: mkdir -p '{options.Destination}'");
            }

            if (!recursive)
            {
                ObjectWords.RefuseSameNames(options.Sources, source => NameOf(source, session));
                RefuseClashes(options, destination, session);
            }
        }
        else if (options.Destination.EndsWith('/') && File.Exists(destination.TrimEnd('/')))
        {
            throw new PelicanException(Errors.Parameter, $"Destination is not a directory: '{options.Destination}'",
                "Leave the slash out to replace the file.");
        }
    }

    private static void RefuseClashes(GetOptions options, string destination, Session session)
    {
        string[] names = [.. options.Sources.Select(source => NameOf(source, session))];
        if (!options.DryRun && NameClash.Find(destination, names).FirstOrDefault() is ({ } one, { } other))
        {
            throw new PelicanException(Errors.Parameter, $"'{one}' and '{other}' have one name in '{options.Destination}', whose file system does not tell them apart",
                "Download them to different places.");
        }
    }

    private static string NameOf(string source, Session session) =>
        ObjectUrl.Parse(source, session.Configuration.Client).Path.Name;
}
