using System.CommandLine;
using Pelican.Transfer;

namespace Pelican.Commands;

/// <summary>What <c>object put</c> was asked to do.</summary>
internal sealed record PutOptions
{
    public required IReadOnlyList<string> Sources { get; init; }

    public required string Destination { get; init; }

    public string? TokenFile { get; init; }

    public bool Recursive { get; init; }

    public bool Overwrite { get; init; }

    public ChecksumAlgorithm? Algorithm { get; init; }

    public bool RequireChecksum { get; init; }

    public string? Checksums { get; init; }

    public bool DryRun { get; init; }

    public string? StatsFile { get; init; }

    /// <summary>How to hand it to the Client API server; null to do it here.</summary>
    public AsyncOptions? Async { get; init; }
}

/// <summary><c>pelican object put</c>: files to objects.</summary>
internal static class ObjectPutCommand
{
    /// <summary>Makes the command.</summary>
    public static Command Create(CommandHost host)
    {
        Verb verb = new("put", "Upload files.")
        {
            Usage = "<source>... <destination>",
            Details =
            [
                "A source is a local file. The destination is the URL of an object, or of a collection that receives the files under"
                + " their own names; with several sources it is always a collection.",
                "With -r, or '?recursive' at the end of the URL, a source may be a directory: everything in it lands flat in the destination,"
                + " with a collection for each directory in it, empty ones where the server makes them. Several sources are laid over one"
                + " another; what would get one name is reported and not uploaded. Links to files are followed. Links to directories, and pipes,"
                + " sockets, devices and incomplete downloads are left out: each is named in a warning. An object that fails does not stop the"
                + " others.",
                "Existing objects are not replaced unless --overwrite is given. With -r, one that the server's checksum proves to be the same"
                + " counts as done: the same command given again completes what was interrupted. An upload counts as done when the server confirms its size"
                + " and, where it has one, its checksum.",
            ],
            Examples =
            [
                ("pelican object put run1.dat osdf:///ospool/data/run1.dat", "one file"),
                ("pelican object put -t token results/*.csv pelican://fed.example.org/ns/results/", "several files, into a collection"),
                ("pelican object put -r results osdf:///ospool/data/run1", "everything in the directory results"),
                ("pelican object put --async --wait run1.dat osdf:///ns/run1.dat", "as a job of the Client API server"),
                ("pelican object put --require-checksum --checksums md5:MD5SUMS run1.dat osdf:///ns/run1.dat",
                    "checked against a list before, and at the server after"),
            ],
        };
        Argument<string[]> words = verb.Words("source");
        Option<string?> token = verb.Value("--token", "FILE", "File with the token", "-t");
        Option<string?> destToken = verb.Value("--dest-token", "FILE", "The same; stronger than --token");
        Option<bool> recursive = verb.Switch("--recursive", "Upload directories with everything in them", "-r");
        Option<bool> overwrite = verb.Switch("--overwrite", "Replace objects that exist");
        Option<string?> algorithm = verb.Value("--checksum-algorithm", "ALG",
            $"Compare this checksum after the upload, and fail without it: {ChecksumNames.All}");
        Option<bool> requireChecksum = verb.Switch("--require-checksum", "Fail where the server has no checksum to compare with");
        Option<string?> checksums = verb.Value("--checksums", "ALG:FILE",
            "Compare the files with a list first, one '<hex> <path>' a line with paths as on the command line");
        Option<bool> dryRun = verb.Switch("--dry-run", "Say what would be uploaded, and where to; send nothing");
        Option<string?> stats = verb.Value("--transfer-stats", "FILE", "Write details of each transfer to a file, as JSON");
        AsyncFlags job = new(verb);
        verb.Refuse("--pack", "this is not there yet", "Make the archive first, and upload it.", takesValue: true);
        foreach (string option in (string[])["--metadata-file", "--metadata-body", "--metadata-content-type"])
        {
            verb.Refuse(option, "metadata of objects is not there yet", "Upload a file with it beside the object.", takesValue: true);
        }

        verb.SetAction(host.Action(Read, RunAsync, Files));
        return verb;

        PutOptions Read(ParseResult parse)
        {
            (IReadOnlyList<string> sources, string destination) = ObjectWords.Split(parse.GetValue(words) ?? [], "put");
            return new PutOptions
            {
                Sources = sources,
                Destination = destination,
                TokenFile = parse.GetValue(destToken) ?? parse.GetValue(token),
                Recursive = parse.GetValue(recursive),
                Overwrite = parse.GetValue(overwrite),
                Algorithm = parse.GetValue(algorithm) is { } name ? ChecksumNames.Parse(name) : null,
                RequireChecksum = parse.GetValue(requireChecksum) || parse.GetValue(algorithm) is not null,
                Checksums = parse.GetValue(checksums),
                DryRun = parse.GetValue(dryRun),
                StatsFile = parse.GetValue(stats),
                Async = job.Read(parse),
            };
        }
    }

    /// <summary>Local files that an upload reads.</summary>
    public static IEnumerable<string?> Files(PutOptions options) => [.. options.Sources, options.TokenFile, options.Checksums?.Split(':', 2)[^1]];

    /// <summary>Uploads.</summary>
    /// <returns>Exit status.</returns>
    public static async Task<int> RunAsync(PutOptions options, Session session, CancellationToken cancellationToken)
    {
        if (!ObjectUrl.IsRemote(options.Destination) && options.Sources.FirstOrDefault(source => ObjectUrl.IsRemote(source) && !File.Exists(session.World.Absolute(source))) is { } url)
        {
            throw new PelicanException(Errors.Parameter, $"'{url}' is a URL and '{options.Destination}' a local file: put uploads",
                $"To download use 'pelican object get'; to upload, the file comes first: pelican object put '{options.Destination}' '{url}'");
        }

        bool recursive = ObjectWords.IsRecursive(options.Recursive, [ObjectWords.Url(options.Destination, session)]);
        foreach (string source in options.Sources)
        {
            CheckSource(source, recursive, session);
        }

        RefuseOutputs(options, recursive, session);

        bool several = options.Sources.Count > 1;
        if (several && !recursive)
        {
            ObjectWords.RefuseSameNames(options.Sources, NameOf);
        }

        if (options.Async is { } job)
        {
            return await JobSubmission.PutAsync(options with { Recursive = recursive }, job, session, cancellationToken);
        }

        // In the pool: a FIFO in its place may be waited for.
        if (options.Checksums is not null)
        {
            await Task.Run(() => CheckManifest(options.Checksums, options, recursive, session, cancellationToken), cancellationToken).WaitAsync(cancellationToken);
        }

        TransferOptions transfer = new()
        {
            TokenFile = ObjectWords.TokenFile(options.TokenFile, session.World),
            Overwrite = options.Overwrite,
            RequireChecksum = options.RequireChecksum,
            Algorithm = options.Algorithm,
            DryRun = options.DryRun,
        };
        TransferPlan plan = new()
        {
            Upload = true,
            Sources = options.Sources,
            UrlOf = _ => options.Destination,
            NameOf = NameOf,
            Move = (source, progress, token) => session.Federation.PutAsync(
                session.World.Absolute(source), options.Destination, several, transfer, progress, token),
            Tree = recursive
                ? (listener, progress, token) => session.Federation.PutTreeAsync(
                    [.. options.Sources.Select(session.World.Absolute)], options.Destination, transfer, listener, progress, token)
                : null,
            DryRun = options.DryRun,
            StatsFile = options.StatsFile is { } file ? session.World.Absolute(file) : null,
        };
        return await new TransferBatch(session, plan).RunAsync(cancellationToken);
    }

    private static void CheckManifest(string checksums, PutOptions options, bool recursive, Session session, CancellationToken cancellationToken)
    {
        if (recursive)
        {
            throw new PelicanException(Errors.Parameter, "--checksums and --recursive exclude each other: the list has the files of the command line",
                "Check the files first, as with md5sum -c.");
        }

        ChecksumManifest manifest = ChecksumManifest.Read(checksums, session.World);
        foreach (string source in options.Sources)
        {
            manifest.Check(source, session.World.Absolute(source), cancellationToken);
        }
    }

    private static void RefuseOutputs(PutOptions options, bool recursive, Session session)
    {
        string[] files = [.. Files(options).OfType<string>().Select(session.World.Absolute)];
        (string What, string? Path)[] outputs =
        [
            ("the statistics file", options.StatsFile is { } stats ? session.World.Absolute(stats) : null),
            ("the log file", session.Configuration.LogFile),
        ];
        foreach ((string what, string? path) in outputs)
        {
            OutputFiles.Refuse(what, path, path == session.Configuration.LogFile ? files : files.Append(session.Configuration.LogFile).OfType<string>());
            OutputFiles.RefuseWithin(what, path, recursive ? options.Sources.Select(session.World.Absolute).Where(Directory.Exists) : [],
                "would be uploaded half-written");
        }
    }

    private static void CheckSource(string source, bool recursive, Session session)
    {
        string path = session.World.Absolute(source);
        if (source == "-" && !File.Exists(path))
        {
            throw new PelicanException(Errors.NotSupported, "uploading from standard input is not there yet", "Write it to a file first.");
        }

        if (ObjectUrl.IsRemote(source) && !File.Exists(path))
        {
            throw new PelicanException(Errors.Parameter, $"the source '{source}' is a URL, and put reads local files",
                "To download use 'pelican object get'.");
        }

        if (Directory.Exists(path))
        {
            if (recursive)
            {
                return;
            }

            throw new PelicanException(Errors.Parameter, $"local object \"{source}\" is a directory but recursive is not enabled",
                "Name the files in it, or upload everything in it with -r.");
        }

        if (source.AsSpan().ContainsAny('*', '?', '[') && LocalEntry.At(path).Kind == LocalKind.Unknown)
        {
            throw new PelicanException(Errors.LocalFileNotFound, $"no file is called '{source}'",
                "The shell passes on a pattern that matches nothing as it stands: check it with 'ls'.");
        }

        UploadSource.Open(path).Dispose();
    }

    private static string NameOf(string source) => source[(source.LastIndexOf('/') + 1)..];
}
