namespace Pelican.Transfer;

/// <summary>Downloads of one object.</summary>
internal sealed partial class FederationClient
{
    /// <summary>Downloads one object.</summary>
    /// <param name="source">URL of the object.</param>
    /// <param name="destination">
    /// Absolute local path. An existing directory, or a name that ends with a slash, receives the object under its own name.
    /// </param>
    /// <param name="options">Token, caches, checks.</param>
    /// <param name="progress">Counters to keep up to date.</param>
    /// <param name="cancellationToken">Stops it; what was received stays for the next run.</param>
    public async Task<TransferResult> GetAsync(
        string source, string destination, TransferOptions options, TransferProgress progress, CancellationToken cancellationToken)
    {
        ObjectUrl url = ParseObject(source);
        if (options.DryRun)
        {
            ObjectInfo info = await StatAsync(url.Text, options, [], cancellationToken);
            if (info.IsCollection)
            {
                throw Faults.IsCollection(url.Path);
            }

            return Planned(source, LocalDestination.IsDevice(destination) ? destination : LocalDestination.Decide(destination, url.Path.Name), info.Size ?? 0);
        }

        if (LocalDestination.IsDevice(destination))
        {
            using FileStream device = LocalDestination.OpenDevice(destination);
            return await GetToStreamAsync(source, device, destination, options, progress, cancellationToken);
        }

        using LocalDestination local = await PrepareAsync(url, destination, options, cancellationToken);
        return await GetToFileAsync(url, local, null, options, progress, cancellationToken);
    }

    private async Task<TransferResult> GetToFileAsync(
        ObjectUrl url, LocalDestination local, (ObjectInfo, string)? listed, TransferOptions options, TransferProgress progress,
        CancellationToken cancellationToken)
    {
        if (await SameAsync(url, local.Path, listed, options, cancellationToken) is { } same)
        {
            local.Keep();
            return same;
        }

        local.CheckConsent(options.Overwrite);
        UnixFileMode mode = local.Mode(options.FileMode);
        using PartFile part = PartFile.Open(local.Target, url, mode, options.Durable);
        bool received = false;
        try
        {
            TransferResult result = await DownloadAsync(url, part, local.Path, listed, options, progress, cancellationToken);
            received = true;
            part.Publish(mode);
            local.Keep();
            return result;
        }
        catch (PelicanException e) when (e.Row == Errors.IsCollection || (e.Row == Errors.LocalFull && !received))
        {
            // What there is of a full disk is wanted for something else. What was received completely stays all the same.
            part.Discard();
            throw;
        }
        catch (PelicanException e) when (part.CanBeResumed)
        {
            // Only bytes that are proved wrong go, and they have gone by now: who refuses us today may not tomorrow.
            local.Keep();
            string kept = $"The {part.Length} bytes received are kept: the same command goes on from there.";
            throw e.With(e.Message, e.Retryable || e.NextStep is null ? kept : $"{e.NextStep} {kept}");
        }
        catch (OperationCanceledException) when (part.CanBeResumed)
        {
            if (options.IsGivenUp())
            {
                part.Discard();
                throw;
            }

            progress.SetKept(part.Length);
            local.Keep();
            throw;
        }
    }

    private async Task<LocalDestination> PrepareAsync(ObjectUrl url, string destination, TransferOptions options, CancellationToken cancellationToken)
    {
        try
        {
            return LocalDestination.Prepare(destination, url.Path.Name, options.FileMode);
        }
        catch (PelicanException e) when (e.Row == Errors.Local && Directory.Exists(Path.Combine(destination, url.Path.Name)))
        {
            // A directory that has the name of a collection, as an earlier run made it: then -r is what is missing.
            if (await IsCollectionAsync(url, options, cancellationToken))
            {
                throw Faults.IsCollection(url.Path);
            }

            throw;
        }
    }

    private async Task<bool> IsCollectionAsync(ObjectUrl url, TransferOptions options, CancellationToken cancellationToken)
    {
        try
        {
            return (await StatAsync(url.Text, options, [], cancellationToken)).IsCollection;
        }
        catch (PelicanException)
        {
            return false;
        }
    }

    /// <summary>Downloads one object to standard output, which cannot be rewound.</summary>
    public Task<TransferResult> GetToStreamAsync(
        string source, Stream output, TransferOptions options, TransferProgress progress, CancellationToken cancellationToken) =>
        GetToStreamAsync(source, output, "standard output", options, progress, cancellationToken);

    private async Task<TransferResult> GetToStreamAsync(
        string source, Stream destination, string name, TransferOptions options, TransferProgress progress, CancellationToken cancellationToken)
    {
        using StreamTarget target = new(destination, name);
        return await DownloadAsync(ParseObject(source), target, "-", null, options, progress, cancellationToken);
    }

    private async Task<TransferResult> DownloadAsync(
        ObjectUrl url, DownloadTarget target, string destination, (ObjectInfo, string)? listed, TransferOptions options, TransferProgress progress,
        CancellationToken cancellationToken)
    {
        using Download download = new(target, options, progress, listed, _settings, _clock, _http.Retries);
        return await ReadAsync(url, options, TokenPurpose.Read, resolution =>
        {
            IReadOnlyList<ObjectServer> witnesses = resolution.Answer.CollectionsUrl is { } origin
                ? [_resolver.Server(Director.At(origin, url.Path), url.Path, resolution.Tokens)]
                : [];
            return download.RunAsync(resolution.Servers, witnesses, (url.Shown, destination), cancellationToken);
        }, cancellationToken);
    }

    private ObjectUrl ParseObject(string source)
    {
        ObjectUrl url = Parse(source);
        return url.EndsWithSlash
            ? throw new PelicanException(Errors.IsCollection, $"'{source}' ends with a slash: it names a collection, not an object",
                Faults.OfCollection)
            : url;
    }
}
