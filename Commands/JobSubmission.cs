using Pelican.ClientApi;
using Pelican.Json;
using Pelican.Transfer;

namespace Pelican.Commands;

/// <summary>Makes a job of a transfer and hands it to the Client API server. The command line has been checked before.</summary>
internal static class JobSubmission
{
    /// <summary>Submits downloads.</summary>
    /// <returns>Exit status.</returns>
    public static Task<int> GetAsync(GetOptions options, AsyncOptions how, Session session, CancellationToken cancellationToken)
    {
        RefuseIf(options.DryRun, "--dry-run", "nothing would be transferred");
        RefuseIf(options.StatsFile is not null, "--transfer-stats", "'pelican job status --json' tells what was tried");
        RefuseSeveralTrees(options.Recursive, options.Sources);
        RefuseOwn(options.Destination);
        ClientSettings settings = session.Configuration.Client;
        string local = session.World.Absolute(options.Destination);
        // With a slash it stays a directory, whatever becomes of it until the job runs.
        string destination = options.Sources.Count > 1 ? WithSlash(local) : local;
        JobRequest job = new(
            [.. options.Sources.Select(source => new TransferRequest("get", source, destination, options.Recursive))],
            Common(options.Sources, options.TokenFile, how, session) with
            {
                Caches = options.Caches ?? (options.Direct || settings.PreferredCaches.Count == 0 ? null : settings.PreferredCaches),
                Direct = options.Direct,
                Overwrite = options.Overwrite,
                RequireChecksum = options.RequireChecksum,
            });
        BatchJob.WarnOfTransfer([local], session);
        return SubmitAsync(job, how, session, cancellationToken);
    }

    /// <summary>Submits uploads.</summary>
    /// <returns>Exit status.</returns>
    public static Task<int> PutAsync(PutOptions options, AsyncOptions how, Session session, CancellationToken cancellationToken)
    {
        RefuseIf(options.DryRun, "--dry-run", "nothing would be transferred");
        RefuseIf(options.StatsFile is not null, "--transfer-stats", "'pelican job status --json' tells what was tried");
        RefuseIf(options.Checksums is not null, "--checksums", "the files could change until the job reads them");
        RefuseSeveralTrees(options.Recursive, options.Sources);
        foreach (string source in options.Sources)
        {
            RefuseOwn(source);
        }

        string destination = options.Sources.Count > 1 ? AsCollection(options.Destination) : options.Destination;
        JobRequest job = new(
            [.. options.Sources.Select(source => new TransferRequest("put", session.World.Absolute(source), destination, options.Recursive))],
            Common([destination], options.TokenFile, how, session) with
            {
                Overwrite = options.Overwrite || session.Configuration.Client.EnableOverwrites,
                RequireChecksum = options.RequireChecksum,
                ChecksumAlgorithm = options.Algorithm is { } algorithm ? Checksum.WireName(algorithm) : null,
            });
        BatchJob.WarnOfTransfer(job.Transfers.Select(transfer => transfer.Source), session);
        return SubmitAsync(job, how, session, cancellationToken);
    }

    private static async Task<int> SubmitAsync(JobRequest job, AsyncOptions how, Session session, CancellationToken cancellationToken)
    {
        using ApiClient client = how.Daemon.Open(session);
        JobCreated created = await CreateAsync(client, job, cancellationToken);
        Tell(created, how.Wait, session);
        if (!how.Wait)
        {
            return 0;
        }

        return JobEnd.Tell(await JobEnd.WaitAsync(client, created.JobId, new JobWait { Known = true, Timeout = how.Timeout }, session, cancellationToken), session);
    }

    private static async Task<JobCreated> CreateAsync(ApiClient client, JobRequest job, CancellationToken cancellationToken)
    {
        try
        {
            return await client.CreateJobAsync(job.Transfers, job.Options, cancellationToken);
        }
        catch (ApiException e) when (e.Fault is not (ApiFault.Broken or ApiFault.TimedOut))
        {
            // There is no job that the file could be for. When the answer was lost there may be one.
            TokenReference.Forget(job.Options!);
            throw;
        }
    }

    // With --quiet the id alone, so that a script can keep it without taking a text apart.
    private static void Tell(JobCreated created, bool wait, Session session)
    {
        try
        {
            Print(created, wait, session);
        }
        catch (IOException)
        {
            // The job is there, and this is all that leads to it.
            session.Messages.Line($"Job created: {created.JobId}");
            throw;
        }
    }

    private static void Print(JobCreated created, bool wait, Session session)
    {
        if (session.Json)
        {
            session.Output.Json(created, PelicanJson.Output.JobCreated);
        }
        else
        {
            session.Output.Line(session.Quiet ? created.JobId : $"Job created: {created.JobId}");
            session.Say(wait ? "Waiting for job to complete..." : $"Check status with: pelican job status {created.JobId}");
        }

        session.Output.Flush();
    }

    // The caller's world goes along: the daemon was started in another one.
    private static JobOptions Common(IReadOnlyList<string> urls, string? tokenFile, AsyncOptions how, Session session)
    {
        ObjectUrl first = ObjectUrl.Parse(urls[0], session.Configuration.Client);
        var token = TokenReference.Find(tokenFile, first.TokenName, session);
        return new JobOptions
        {
            Token = token?.File,
            ForgetToken = token is { OfJob: true },
            Federation = urls.All(ObjectUrl.IsRemote) ? null
                : ObjectUrl.Parse(urls.First(url => !ObjectUrl.IsRemote(url)), session.Configuration.Client).Federation.GetLeftPart(UriPartial.Authority),
            Label = how.Label,
            Umask = Convert.ToString((int)session.World.Umask(), 8).PadLeft(3, '0'),
        };
    }

    private static void RefuseIf(bool given, string option, string why)
    {
        if (given)
        {
            throw new PelicanException(Errors.Parameter, $"{option} does not go with --async: {why}", "Leave one of them out.");
        }
    }

    // Each would be a transfer of its own: nobody would see what two of them have under one name.
    private static void RefuseSeveralTrees(bool recursive, IReadOnlyList<string> sources)
    {
        if (recursive && sources.Count > 1)
        {
            throw new PelicanException(Errors.Parameter, "--recursive with several sources does not go with --async",
                "Hand them over one by one, each with a destination of its own.");
        }
    }

    // Standard output, descriptors and terminals of the daemon are not those of the caller.
    private static void RefuseOwn(string path)
    {
        if (path == "-" || (LocalDestination.IsDevice(path) && path != "/dev/null") || path.StartsWith("/proc/", StringComparison.Ordinal))
        {
            throw new PelicanException(Errors.Parameter, $"'{path}' does not go with --async: it is something else for the Client API server",
                "Name a file, or leave --async out.");
        }
    }

    private static string WithSlash(string path) => path.EndsWith('/') ? path : path + "/";

    private static string AsCollection(string url)
    {
        int query = url.IndexOf('?', StringComparison.Ordinal);
        return query < 0 ? WithSlash(url) : WithSlash(url[..query]) + url[query..];
    }
}
