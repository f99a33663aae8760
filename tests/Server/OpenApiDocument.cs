using System.Net;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Pelican.ClientApi;
using Pelican.Json;
using Pelican.Server;

namespace Pelican.Tests.Server;

/// <summary>Makes the description of the API: from its routes, its records and their comments, and what is said here of each operation.</summary>
internal static class OpenApiDocument
{
    /// <summary>The base that is described; the other one has the same.</summary>
    public const string Base = "/api/v1/xfer";

    private const string Events = "text/event-stream";

    private static readonly JsonSerializerOptions Written = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static readonly Parameter JobId = new("id", "path", "Identifier of the job, as its creation returned it.");
    private static readonly Parameter Status = new("status", "query", "States to let through, separated by commas; all without it.");
    private static readonly Parameter Offset = new("offset", "query", "Jobs to pass over (default 0).", "integer");
    private static readonly Parameter From = new("from", "query", "RFC 3339; a '+' must be sent as %2B. Jobs of this time and later.", Format: "date-time");
    private static readonly Parameter To = new("to", "query", "RFC 3339. Jobs of this time and earlier.", Format: "date-time");
    private static readonly Parameter LastEvent = new("Last-Event-ID", "header", "The last event known: the stream goes on after it, whatever has been restarted meanwhile.", "integer");
    private static readonly Parameter LastEventQuery = LastEvent with { Name = "last_event_id", Place = "query" };

    private static readonly Answer Stream = new(200, Type: null, Description: "The events of the job, until it is final.", MediaType: Events);

    private static readonly Operation[] Operations =
    [
        new("GET", Base + "/jobs", "listJobs", "Lists jobs, running and past, newest first.",
            [
                Status, new("limit", "query", "Jobs on a page, 1 to 100 (default 10).", "integer"), Offset,
                new("cursor", "query", "Place in the list, 'next' of the page before: steady while jobs are added."), From, To,
            ],
            [new(200, typeof(JobList)), Answer.Wrong]),
        new("POST", Base + "/jobs", "createJob", "Creates a job; it is on the disk when the answer comes.",
            [new("Idempotency-Key", "header", "Names this request: sent again with the same key and body, it gets the first answer, and no second job.")],
            [
                new(201, typeof(JobCreated), HasLocation: true), Stream with { Description = "With 'Accept: text/event-stream': the job was created, and these are its events." },
                Answer.Wrong, Answer.TooLarge, new(422, typeof(ApiError), "The Idempotency-Key was used for another request."),
            ],
            typeof(JobRequest)),
        new("GET", Base + "/jobs/{id}", "getJob", "Shows a job in full; at once, or after a change.",
            [
                JobId, new("wait", "query", "Longest wait, as 30s, 500ms or 1m30s; at most ten minutes. Without 'since', for the end."),
                new("since", "query", "Number of the last change known ('sequence'): the wait is for a later one.", "integer"),
            ],
            [new(200, typeof(JobStatus)), Answer.Wrong, Answer.NoJob]),
        new("DELETE", Base + "/jobs/{id}", "cancelJob", "Cancels a job; nothing of it moves any more when the answer comes.",
            [JobId], [new(200, typeof(JobCancelled)), Answer.NoJob, new(409, typeof(ApiError), "The job is completed or failed.")]),
        new("GET", Base + "/jobs/{id}/events", "watchJob", "Sends what happens to a job as server-sent events: status, transfer and progress.",
            [JobId, LastEvent, LastEventQuery], [Stream, Answer.Wrong, Answer.NoJob]),
        new("GET", Base + "/jobs/{id}/transfers/{transfer}", "getTransfer", "Shows one transfer of a job.",
            [JobId, new("transfer", "path", "Identifier of the transfer.")], [new(200, typeof(TransferStatus)), Answer.NoJob]),
        new("GET", Base + "/history", "listHistory", "Lists past jobs, the last to end first, by the names of today's Pelican.",
            [Status, new("limit", "query", "Jobs on a page, 1 to 1000 (default 100).", "integer"), Offset, From, To],
            [new(200, typeof(HistoryList)), Answer.Wrong]),
        new("DELETE", Base + "/history", "pruneHistory", "Removes jobs that ended before a time.",
            [new("older_than", "query", "RFC 3339.", Format: "date-time", Required: true)], [new(200, typeof(HistoryPruned)), Answer.Wrong]),
        new("DELETE", Base + "/history/{id}", "removeJob", "Removes a past job.",
            [JobId], [new(200, typeof(HistoryRemoved)), Answer.NoJob, new(409, typeof(ApiError), "The job is not final.")]),
        new("POST", Base + "/stat", "stat", "Describes an object or collection.", [], Answer.OfObjects(typeof(StatAnswer)), typeof(UrlRequest)),
        new("POST", Base + "/list", "list", "Lists a collection.", [], Answer.OfObjects(typeof(ListAnswer)), typeof(UrlRequest)),
        new("POST", Base + "/delete", "delete", "Deletes an object, or a collection with all that is in it.",
            [], [.. Answer.OfObjects(typeof(DeleteAnswer)), new(409, typeof(ApiError), "The collection is not empty.")], typeof(DeleteRequest)),
        new("GET", "/health", "health", "Tells that the server is there. It does not keep it from its idle end.", [], [new(200, typeof(Health))]),
        new("POST", "/shutdown", "shutdown", "Ends the server in order. Unfinished jobs go on when it is started again.", [], [new(200, typeof(MessageAnswer))]),
        new("GET", OpenApi.Path, "openapi", "This document.", [], [new(200, typeof(JsonElement))]),
    ];

    /// <summary>Methods and paths that are described.</summary>
    public static IEnumerable<(string Method, string Path)> Described => Operations.Select(operation => (operation.Method, operation.Path));

    /// <summary>Makes the document.</summary>
    public static string Make()
    {
        OpenApiSchemas schemas = new();
        JsonObject paths = [];
        foreach (IGrouping<string, Operation> path in Operations.GroupBy(operation => operation.Path))
        {
            paths[path.Key] = new JsonObject(path.Select(operation => KeyValuePair.Create(Lower(operation.Method), (JsonNode?)Of(operation, schemas))));
        }

        JsonObject document = new()
        {
            ["openapi"] = "3.1.0",
            ["info"] = new JsonObject
            {
                ["title"] = "Pelican Client API",
                ["version"] = "1.0.0",
                ["description"] = "Transfers between local files and a Pelican federation, as jobs that outlive their caller. The server listens on a Unix socket, "
                    + "~/.pelican/client-api.sock unless told otherwise, for its owner alone. Everything below /api/v1/xfer is below /api/v1.0/transfer-agent too. "
                    + "Local paths are absolute. More members and events may be added: ignore what you do not know.",
                ["license"] = new JsonObject { ["name"] = "Apache-2.0", ["identifier"] = "Apache-2.0" },
            },
            ["servers"] = new JsonArray(new JsonObject { ["url"] = "http://localhost", ["description"] = "over the Unix socket" }),
            ["security"] = new JsonArray(),
            ["paths"] = paths,
            ["components"] = new JsonObject { ["schemas"] = schemas.All() },
        };
        return document.ToJsonString(Written) + "\n";
    }

    private static JsonObject Of(Operation operation, OpenApiSchemas schemas)
    {
        JsonObject answers = [];
        foreach (Answer answer in operation.Answers)
        {
            answers[$"{answer.Status}"] = Of(answer, schemas);
        }

        answers["default"] = Of(new Answer(0, typeof(ApiError), "Anything else that goes wrong."), schemas);
        JsonObject made = new() { ["operationId"] = operation.Id, ["summary"] = operation.Summary };
        if (operation.Parameters.Count > 0)
        {
            made["parameters"] = new JsonArray([.. operation.Parameters.Select(Of)]);
        }

        if (operation.Body is { } body)
        {
            made["requestBody"] = new JsonObject { ["required"] = true, ["content"] = Content("application/json", schemas.Of(body, isAnswer: false)) };
        }

        made["responses"] = answers;
        return made;
    }

    private static JsonObject Of(Parameter parameter)
    {
        JsonObject schema = new() { ["type"] = parameter.Type };
        if (parameter.Format is { } format)
        {
            schema["format"] = format;
        }

        return new JsonObject
        {
            ["name"] = parameter.Name,
            ["in"] = parameter.Place,
            ["description"] = parameter.Description,
            ["required"] = parameter.Required || parameter.Place == "path",
            ["schema"] = schema,
        };
    }

    private static JsonObject Of(Answer answer, OpenApiSchemas schemas)
    {
        JsonNode schema = answer.Type is { } type ? schemas.Of(type, isAnswer: true) : new JsonObject { ["type"] = "string" };
        JsonObject made = new()
        {
            ["description"] = answer.Description ?? $"{(HttpStatusCode)answer.Status}.",
            ["content"] = Content(answer.MediaType, schema),
        };
        if (answer.HasLocation)
        {
            made["headers"] = new JsonObject
            {
                ["Location"] = new JsonObject { ["description"] = "Path of the job.", ["schema"] = new JsonObject { ["type"] = "string" } },
            };
        }

        return made;
    }

    private static JsonObject Content(string mediaType, JsonNode schema) => new() { [mediaType] = new JsonObject { ["schema"] = schema } };

    private static string Lower(string method) => method switch { "GET" => "get", "POST" => "post", _ => "delete" };

    private sealed record Parameter(string Name, string Place, string Description, string Type = "string", string? Format = null, bool Required = false);

    private sealed record Answer(
        int Status, Type? Type, string? Description = null, string MediaType = "application/json", bool HasLocation = false)
    {
        public static readonly Answer Wrong = new(400, typeof(ApiError), "The request makes no sense; the message names member or parameter.");
        public static readonly Answer TooLarge = new(413, typeof(ApiError), "The body is larger than 8 MiB.");
        public static readonly Answer NoJob = new(404, typeof(ApiError), "There is no job, or transfer, of that id.");

        public static Answer[] OfObjects(Type type) =>
        [
            new(200, type), Wrong, new(401, typeof(ApiError), "There is no token, or the server refuses it."),
            new(404, typeof(ApiError), "There is no such object."), TooLarge,
            new(500, typeof(ApiError), "The federation could not do it."), new(504, typeof(ApiError), "It took too long."),
        ];
    }

    private sealed record Operation(
        string Method, string Path, string Id, string Summary, IReadOnlyList<Parameter> Parameters, IReadOnlyList<Answer> Answers, Type? Body = null);
}
