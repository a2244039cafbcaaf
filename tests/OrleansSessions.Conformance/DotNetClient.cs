using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using OrleansSessions.Client;
using OrleansSessions.Protocol;

namespace OrleansSessions.Conformance;

/// <summary>The .NET client as a program that reads and writes the lines of docs/conformance.md.</summary>
internal sealed class DotNetClient(TextReader input, TextWriter output)
{
    private static readonly JsonSerializerOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly Lock _writing = new();
    private string? _token;
    private SessionState? _state;

    /// <summary>Runs until the session stops or the input ends.</summary>
    public async Task<int> RunAsync()
    {
        var first = await NextAsync();
        if (first is not { } connect || connect.Text("do") != "connect")
        {
            Fail("The first line must be 'connect'.");
            return 1;
        }

        _token = connect.Text("token");
        var options = new SessionClientOptions { OnStateChanged = Tell };
        if (_token is not null)
        {
            options.Token = _ => ValueTask.FromResult<string?>(_token);
        }

        try
        {
            await using var client = SessionClient.Start(new(connect.Text("url")!), connect.Text("session")!, options);
            var following = FollowAsync(client);
            var obeying = ObeyAsync(client);
            await Task.WhenAny(client.Stopped, obeying);
            await client.DisposeAsync();
            await following;
            Stopped(await client.Stopped);
        }
        catch (ArgumentException fault)
        {
            Fail(fault.Message);
        }

        return 0;
    }

    /// <summary>Does what the lines say, until 'close' or their end.</summary>
    private async Task ObeyAsync(SessionClient client)
    {
        while (await NextAsync() is { } order && order.Text("do") is var what && what != "close")
        {
            try
            {
                switch (what)
                {
                    case "ask": Ask(client, order); break;
                    case "cancel": _ = CancelAsync(client, order.Text("id")); break;
                    case "token": _token = order.Text("token"); break;
                    case "history": await TellHistoryAsync(client); break;
                    default: Fail($"'{what}' cannot be done."); break;
                }
            }
            catch (Exception fault) when (fault is ArgumentException or SessionException or HttpRequestException)
            {
                Fail(fault.Message);
            }
        }
    }

    private static void Ask(SessionClient client, JsonElement order) => _ = client.AskAsync(order.Text("question")!, new()
    {
        Id = order.Text("id"),
        IfBusy = order.Text("if_busy") switch { "queue" => IfBusy.Queue, "replace" => IfBusy.Replace, _ => IfBusy.Reject },
        Options = order.TryGetProperty("options", out var options) ? JsonObject.Create(options) : null,
    });

    private async Task CancelAsync(SessionClient client, string? id)
    {
        try
        {
            await client.CancelAsync(id);
        }
        catch (SessionRefusedException refusal)
        {
            Refused(refusal, id);
        }
        catch (SessionStoppedException)
        {
            // 'stopped' follows.
        }
        catch (ArgumentException fault)
        {
            Fail(fault.Message);
        }
    }

    private async Task TellHistoryAsync(SessionClient client)
    {
        var questions = await client.GetHistoryAsync();
        Write(new()
        {
            ["event"] = "history",
            ["questions"] = new JsonArray([.. questions.Select(question => new JsonObject
            {
                ["id"] = question.Id,
                ["question"] = question.Question,
                ["status"] = question.Status.ToWire(),
                ["text"] = question.Text,
            })]),
        });
    }

    private async Task FollowAsync(SessionClient client)
    {
        try
        {
            await foreach (var update in client.FollowAsync())
            {
                Tell(update);
            }
        }
        catch (SessionStoppedException)
        {
            // 'stopped' follows.
        }
    }

    private void Tell(SessionStateChange change)
    {
        if (change.State != SessionState.Stopped && change.State != _state)
        {
            _state = change.State;
            Write(new() { ["event"] = "state", ["state"] = change.State.ToString().ToLowerInvariant() });
        }
    }

    private void Tell(AnswerUpdate update)
    {
        switch (update)
        {
            case AnswerAccepted accepted: Write(new() { ["event"] = "accepted", ["id"] = update.QuestionId, ["position"] = accepted.QueuePosition }); break;
            case AnswerText piece: Write(new() { ["event"] = "text", ["id"] = update.QuestionId, ["text"] = piece.Text }); break;
            case AnswerRestarted: Write(new() { ["event"] = "restarted", ["id"] = update.QuestionId }); break;
            case AnswerEnded { End: var end }:
                Write(new()
                {
                    ["event"] = "ended",
                    ["id"] = update.QuestionId,
                    ["status"] = end.Status.ToWire(),
                    ["reason"] = end.Reason,
                    ["message"] = end.Message,
                    ["retryable"] = end.IsRetryable,
                    ["retry_after_ms"] = Milliseconds(end.RetryAfter),
                    ["text"] = end.Text,
                });
                break;
            case AnswerFailed { Error: SessionRefusedException refusal }: Refused(refusal, update.QuestionId); break;
            case AnswerFailed { Error: QuestionLostException }: Write(new() { ["event"] = "lost", ["id"] = update.QuestionId }); break;
            case AnswerFailed { Error: AnswerUnreadableException }: Write(new() { ["event"] = "unreadable", ["id"] = update.QuestionId }); break;
            case AnswerFailed: Write(new() { ["event"] = "failed", ["id"] = update.QuestionId, ["reason"] = "stopped" }); break;
        }
    }

    private void Refused(SessionRefusedException refusal, string? id)
    {
        var line = new JsonObject { ["event"] = "refused", ["code"] = refusal.Code, ["message"] = refusal.Message, ["retryable"] = refusal.IsRetryable };
        AddKnown(line, "id", id);
        AddKnown(line, "param", refusal.Parameter);
        AddKnown(line, "retry_after_ms", Milliseconds(refusal.RetryAfter));
        AddKnown(line, "active_question_id", refusal.ActiveQuestionId);
        AddKnown(line, "active_for_ms", Milliseconds(refusal.ActiveFor));
        Write(line);
    }

    private void Stopped(SessionStop stop)
    {
        var line = new JsonObject
        {
            ["event"] = "stopped",
            ["reason"] = stop.Reason switch
            {
                SessionStopReason.TokenExpired => "token_expired",
                SessionStopReason.SessionRemoved => "session_removed",
                _ => stop.Reason.ToString().ToLowerInvariant(),
            },
            ["message"] = stop.Message,
        };
        AddKnown(line, "code", stop.Code);
        AddKnown(line, "close", stop.CloseCode);
        Write(line);
    }

    private void Fail(string message) => Write(new() { ["event"] = "error", ["message"] = message });

    private static void AddKnown(JsonObject line, string name, JsonNode? value)
    {
        if (value is not null)
        {
            line[name] = value;
        }
    }

    private static long? Milliseconds(TimeSpan? time) => time is { } known ? (long)known.TotalMilliseconds : null;

    private async Task<JsonElement?> NextAsync() =>
        await Task.Run(input.ReadLineAsync) is { } line ? JsonDocument.Parse(line).RootElement : null;

    private void Write(JsonObject line)
    {
        lock (_writing)
        {
            output.WriteLine(line.ToJsonString(Readable));
            output.Flush();
        }
    }
}

/// <summary>Fields of a line.</summary>
internal static class OrderFields
{
    public static string? Text(this JsonElement order, string name) =>
        order.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
